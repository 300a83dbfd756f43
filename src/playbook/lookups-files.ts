// Lookups that read the controller's files.
import disk from 'node:fs';
import {globSync, readFileSync, statSync} from './disk.ts';
import {basename, dirname, isAbsolute, join, resolve} from 'node:path';
import {placeOf} from '../base/diagnostic.ts';
import {Secret} from '../base/secret.ts';
import {Misuse} from '../template/fault.ts';
import {entriesOf, isMapping, valueOf} from '../template/mapping.ts';
import {decrypt, isVault} from '../secrets/vault.ts';
import {flagOption, flattenedOnce, splitTerm, textList, textOf, textOption} from './lookup-arguments.ts';
import type {Lookup, LookupSite, Options} from './lookup-site.ts';
import {candidatePaths, findPath} from './search-path.ts';
import {soughtHelp} from './sought.ts';

/** A file's text, a Secret where the file is a vault. *errors*: Misuse where it is not found, not readable or does not open. */
function readText(name: string, inside: readonly string[], site: LookupSite): string | Secret {
  const path = findPath(name, site.folders, inside);
  if (path === undefined) {
    const help = soughtHelp(candidatePaths(name, site.folders, inside), site.run.cwd);
    throw new Misuse(`there is no file ${name}`, 'missing-file', help);
  }
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (cause) {
    throw new Misuse(`${name} cannot be read: ${(cause as Error).message}`, 'unreadable-file');
  }
  if (!isVault(text)) return text;
  const opened = decrypt(text, site.run.vaultPasswords);
  if (opened.ok) return opened.value.text;
  const [problem] = opened.problems;
  throw new Misuse(`${name}: ${problem.message}`, problem.code, problem.help);
}

const file: Lookup = (terms, options, site) =>
  flattenedOnce(terms).map((term) => {
    let text = readText(textOf(term, 'the file name'), ['files'], site);
    const change = (trim: (text: string) => string): void => {
      text = typeof text === 'string' ? trim(text) : text.map(trim);
    };
    if (flagOption(options, 'lstrip', false)) change((t) => t.trimStart());
    if (flagOption(options, 'rstrip', true)) change((t) => t.trimEnd());
    return text;
  });

const unvault: Lookup = (terms, _options, site) =>
  flattenedOnce(terms).map((term) => readText(textOf(term, 'the file name'), ['files'], site));

const template: Lookup = (terms, options, site) =>
  flattenedOnce(terms).map((term) => {
    const name = textOf(term, 'the template name');
    const path = findPath(name, site.folders, ['templates']);
    if (path === undefined) throw new Misuse(`there is no template ${name}`, 'missing-file');
    const extra = options.get('template_vars');
    const values: Record<string, unknown> = isMapping(extra)
      ? Object.fromEntries(entriesOf(extra).map(([key, value]): [string, unknown] => [String(key), value]))
      : {};
    const marks = {
      ...(options.has('variable_start_string')
        ? {outputStart: textOption(options, 'variable_start_string', '{{')}
        : {}),
      ...(options.has('variable_end_string') ? {outputEnd: textOption(options, 'variable_end_string', '}}')} : {}),
    };
    const rendered = site.renderFile(path, {values, ...marks});
    if (rendered.ok) return rendered.value;
    const [problem] = rendered.problems;
    const place = problem.span === undefined ? '' : ` (${placeOf(problem.span)})`;
    throw new Misuse(`${name}: ${problem.message}${place}`, problem.code, problem.help);
  });

const fileglob: Lookup = (terms, _options, site) =>
  flattenedOnce(terms).flatMap((term) => {
    const pattern = textOf(term, 'the pattern');
    for (const candidate of candidatePaths(pattern, site.folders, ['files'])) {
      const folder = dirname(candidate);
      if (statSync(folder, {throwIfNoEntry: false})?.isDirectory() !== true) continue;
      const found = globSync(basename(candidate), {cwd: folder})
        .map((name) => join(folder, name))
        .filter((path) => statSync(path, {throwIfNoEntry: false})?.isFile() === true)
        .sort();
      if (found.length > 0) return found;
    }
    return [];
  });

/** Files and folders to seek in: of terms (texts, or mappings with files and paths) and of named arguments. */
const firstFound: Lookup = (terms, options, site) => {
  const wanted: string[] = [];
  let skip = flagOption(options, 'skip', false);
  const add = (files: string[], paths: string[]): void => {
    if (paths.length === 0) wanted.push(...files);
    else if (files.length === 0) wanted.push(...paths);
    else for (const path of paths) for (const name of files) wanted.push(join(path, name));
  };
  const fileSeparators = /[,;]/;
  const pathSeparators = /[,;:]/;
  for (const term of flattenedOnce(terms)) {
    if (!isMapping(term)) {
      const more = options.has('paths') ? textList(options.get('paths'), pathSeparators) : [];
      add(textList(term, fileSeparators), more);
      continue;
    }
    skip ||=
      valueOf(term, 'skip') === true ||
      /^(?:yes|true)$/i.test(textOf(valueOf(term, 'skip') === false ? 'no' : (valueOf(term, 'skip') ?? 'no'), 'skip'));
    add(textList(valueOf(term, 'files'), fileSeparators), textList(valueOf(term, 'paths'), pathSeparators));
  }
  if (options.has('files'))
    add(textList(options.get('files'), fileSeparators), textList(options.get('paths'), pathSeparators));
  for (const name of wanted) {
    const path = findPath(name, site.folders, ['files', 'templates', 'vars', 'tasks']);
    if (path !== undefined) return [path];
  }
  if (skip) return [];
  throw new Misuse(
    `none of these files exists: ${wanted.join(', ')}`,
    'missing-file',
    'give skip: true where it may be missing',
  );
};

const csvfile: Lookup = (terms, options, site) =>
  flattenedOnce(terms).map((term) => {
    const {raw: key, options: given} = splitTerm(term, options);
    const delimiterText = textOption(given, 'delimiter', 'TAB');
    const delimiter = delimiterText === 'TAB' || delimiterText === '\\t' ? '\t' : delimiterText;
    const column = Number(textOption(given, 'col', '1'));
    const keyColumn = Number(textOption(given, 'keycol', '0'));
    const text = readText(textOption(given, 'file', 'ansible.csv'), ['files'], site);
    const secret = text instanceof Secret;
    const row = parseCsv(secret ? text.reveal() : text, delimiter).find((cells) => cells[keyColumn] === key);
    const value = row?.[column];
    if (value === undefined) return given.get('default') ?? [];
    return secret ? Secret.of(value) : value;
  });

/** Rows of a CSV text with quotes and doubled quotes. *source*: RFC 4180. */
function parseCsv(text: string, delimiter: string): string[][] {
  const rows: string[][] = [];
  let row: string[] = [];
  let cell = '';
  let quoted = false;
  const endCell = (): void => {
    row.push(cell);
    cell = '';
  };
  for (let i = 0; i < text.length; i++) {
    const c = text[i] ?? '';
    if (quoted) {
      if (c !== '"') cell += c;
      else if (text[i + 1] === '"') {
        cell += '"';
        i++;
      } else quoted = false;
    } else if (c === '"' && cell === '') quoted = true;
    else if (c === delimiter) endCell();
    else if (c === '\n') {
      endCell();
      rows.push(row);
      row = [];
    } else if (c !== '\r') cell += c;
  }
  if (cell !== '' || row.length > 0) {
    endCell();
    rows.push(row);
  }
  return rows;
}

const ini: Lookup = (terms, options, site) =>
  flattenedOnce(terms).flatMap((term): unknown[] => {
    const {raw: key, options: given} = splitTerm(term, options);
    const properties = textOption(given, 'type', 'ini') === 'properties';
    const section = properties ? '' : textOption(given, 'section', 'global');
    const text = readText(textOption(given, 'file', 'ansible.ini'), ['files'], site);
    const secret = text instanceof Secret;
    const entries = parseIni(secret ? text.reveal() : text, properties).filter((entry) => entry.section === section);
    const wrap = (value: string): unknown => (secret ? Secret.of(value) : value);
    if (flagOption(given, 're', false)) {
      const expression = new RegExp(key);
      return entries.filter((entry) => expression.test(entry.key)).map((entry) => wrap(entry.value));
    }
    const found = entries.findLast((entry) => entry.key.toLowerCase() === key.toLowerCase());
    return [found === undefined ? (given.get('default') ?? '') : wrap(found.value)];
  });

function parseIni(text: string, properties: boolean): {section: string; key: string; value: string}[] {
  const entries: {section: string; key: string; value: string}[] = [];
  let section = '';
  for (const line of text.split(/\r?\n/)) {
    const header = properties ? null : /^\s*\[([^\]]*)\]/.exec(line);
    if (header?.[1] !== undefined) section = header[1];
    else if (!/^\s*(?:[#;]|$)/.test(line)) {
      const pair = /^\s*([^=:]+?)\s*[=:]\s*(.*?)\s*$/.exec(line);
      if (pair?.[1] !== undefined) entries.push({section, key: pair[1], value: pair[2] ?? ''});
    }
  }
  return entries;
}

/** Reads a file relative to the playbook as it is now, if it exists: one that the site keeps (a password), not one that people write. */
export function readIfThere(name: string, site: LookupSite): {path: string; text: string | undefined} {
  const path = isAbsolute(name) ? name : resolve(site.cwd, name);
  const exists = disk.statSync(path, {throwIfNoEntry: false})?.isFile() === true;
  return {path, text: exists ? disk.readFileSync(path, 'utf8') : undefined};
}

/** Lookups on files, by name. */
export const fileLookups: ReadonlyMap<string, Lookup> = new Map<
  string,
  (terms: readonly unknown[], options: Options, site: LookupSite) => readonly unknown[]
>([
  ['file', file],
  ['unvault', unvault],
  ['template', template],
  ['fileglob', fileglob],
  ['first_found', firstFound],
  ['csvfile', csvfile],
  ['ini', ini],
]);
