/*
 * Where vault passwords come from, with Ansible's rules: `--vault-password-file PATH` and `--vault-id [LABEL@]PATH`. An executable
 * file is run and its output is the password; one whose name ends in `-client` (before an extension) is told the label.
 */
import {execFile} from 'node:child_process';
import {access, constants, readFile, stat} from 'node:fs/promises';
import {basename, extname, resolve} from 'node:path';
import {error} from '../base/diagnostic.ts';
import {bad, ok} from '../base/result.ts';
import type {Result} from '../base/result.ts';
import {Secret} from '../base/secret.ts';
import type {VaultPassword} from './vault.ts';

/** What `--vault-id` said: a label, and whether the password is asked for at the terminal or read from a file or program. */
export type PasswordSource =
  {readonly kind: 'prompt'; readonly id: string} | {readonly kind: 'file'; readonly id: string; readonly path: string};

/** Reads `LABEL@SOURCE` or `SOURCE`; the source `prompt` (also `prompt_ask_vault_pass`) means the terminal. The label ends at the first `@`. */
export function parseVaultId(text: string): PasswordSource {
  const at = text.indexOf('@');
  const id = at > 0 ? text.slice(0, at) : 'default';
  const source = at >= 0 ? text.slice(at + 1) : text;
  return source === 'prompt' || source === 'prompt_ask_vault_pass'
    ? {kind: 'prompt', id}
    : {kind: 'file', id, path: source};
}

/** Whether a program follows the protocol for clients: it gets `--vault-id LABEL` and exits with 2 when it has no password under it. */
export function isClientScript(path: string): boolean {
  const name = basename(path);
  return basename(name, extname(name)).endsWith('-client');
}

/**
 * The password out of a file, or out of a program (an executable file). `cwd` is what relative paths start from, `home` what `~` means.
 *
 * *shape*: of a file all blanks around the password are dropped, of a program's output the line ends only.
 * *errors*: vault-password-file (missing, unreadable, empty), vault-password-program (failed, no password under the label).
 */
export async function passwordFrom(
  source: {readonly id: string; readonly path: string},
  {cwd, home, timeoutMs = 60_000}: {readonly cwd: string; readonly home?: string; readonly timeoutMs?: number},
): Promise<Result<VaultPassword>> {
  const expanded = home !== undefined && source.path.startsWith('~/') ? home + source.path.slice(1) : source.path;
  const path = resolve(cwd, expanded);
  let text: string;
  try {
    const found = await stat(path);
    if (found.isDirectory()) return unusable(`the vault password file ${source.path} is a directory`);
    if (found.isFile() && (await isExecutable(path))) {
      const output = await run(path, source.id, cwd, timeoutMs);
      if (!output.ok) return output;
      text = output.value.replace(/^[\r\n]+|[\r\n]+$/g, '');
    } else {
      text = (await readFile(path, 'utf8')).trim();
    }
  } catch (cause) {
    return unusable(`the vault password file ${source.path} cannot be read: ${reason(cause)}`);
  }
  if (text === '') return unusable(`the vault password from ${source.path} is empty`);
  return ok({id: source.id, password: Secret.of(text)});
}

function unusable<T>(message: string): Result<T> {
  return bad(error('vault-password-file', message));
}

function reason(cause: unknown): string {
  const code = cause instanceof Error && 'code' in cause ? cause.code : undefined;
  if (code === 'ENOENT') return 'there is no such file';
  if (code === 'EACCES') return 'permission denied';
  return cause instanceof Error ? cause.message : String(cause);
}

async function isExecutable(path: string): Promise<boolean> {
  return access(path, constants.X_OK).then(
    () => true,
    () => false,
  );
}

function run(path: string, id: string, cwd: string, timeoutMs: number): Promise<Result<string>> {
  const args = isClientScript(path) ? ['--vault-id', id] : [];
  const failed = (message: string, stderr: string): Result<string> =>
    bad(error('vault-password-program', message, stderr.trim() === '' ? {} : {note: stderr.trim().slice(-2000)}));
  return new Promise((settle) => {
    const child = execFile(path, args, {timeout: timeoutMs, cwd, encoding: 'utf8'}, (problem, stdout, stderr) => {
      if (problem === null) return settle(ok(stdout));
      if (problem.killed === true)
        return settle(failed(`the vault password program ${path} gave no answer within ${timeoutMs} ms`, stderr));
      if (typeof problem.code === 'string')
        return settle(failed(`the vault password program ${path} cannot be run: ${problem.code}`, stderr));
      if (problem.code === 2 && args.length > 0) {
        return settle(failed(`the vault password program ${path} has no password under the label "${id}"`, stderr));
      }
      return settle(failed(`the vault password program ${path} failed with exit code ${String(problem.code)}`, stderr));
    });
    child.stdin?.end();
  });
}
