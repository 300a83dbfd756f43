// Where schedules are kept: named by option, file, environment or credential; a password never stands in the command line.
import {existsSync, readFileSync} from 'node:fs';
import {join} from 'node:path';
import {error, type Diagnostic} from '../base/diagnostic.ts';

/** The URL of the database; undefined = the embedded one. Or what is wrong. */
export function databaseUrlOf(
  options: Readonly<Record<string, unknown>>,
  env: Readonly<Record<string, string | undefined>>,
): {readonly url: string | undefined} | {readonly problem: Diagnostic} {
  const given = options['database'] === undefined ? undefined : String(options['database']);
  if (given !== undefined) {
    const hasPassword = /^[a-z]+:\/\/[^/@]*:[^/@]+@/.test(given) || /[?&]password=/.test(given);
    if (hasPassword)
      return {
        problem: error('password-in-argv', 'a password in the command line can be read by everybody on this machine', {
          help: 'put the URL into a file (--database-file) or TSPLAY_DATABASE, or the password into ~/.pgpass (PGPASSFILE)',
        }),
      };
    return urlOr(given);
  }
  const file = options['databaseFile'] === undefined ? undefined : String(options['databaseFile']);
  const credential =
    env['CREDENTIALS_DIRECTORY'] === undefined ? undefined : join(env['CREDENTIALS_DIRECTORY'], 'database-url');
  const named = env['TSPLAY_DATABASE'];
  const path =
    file ??
    (named === undefined || named === ''
      ? credential !== undefined && existsSync(credential)
        ? credential
        : undefined
      : undefined);
  if (path === undefined) return named === undefined || named === '' ? {url: undefined} : urlOr(named);
  try {
    return urlOr(readFileSync(path, 'utf8').trim());
  } catch (cause) {
    return {problem: error('database-file', `${path} cannot be read: ${(cause as Error).message}`)};
  }
}

function urlOr(text: string): {readonly url: string} | {readonly problem: Diagnostic} {
  if (/^postgres(ql)?:\/\//.test(text)) return {url: text};
  return {
    problem: error('database-url', 'the database is a URL of PostgreSQL', {help: 'postgresql://user@host:5432/tsplay'}),
  };
}
