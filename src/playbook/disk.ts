// The one door through which the site's files are read: playbooks, roles, inventories, variables, templates. It has the names of node:fs, and is node:fs, except
// for saved plans. While a plan is made it takes down what every question was answered; when the plan is applied the same questions get the same answers,
// whatever has become of the files since. That this is a state of the process is the price for readers that need not know of it: files are one, too.
import * as fs from 'node:fs';
import {join} from 'node:path';

export {constants} from 'node:fs';

/** What one question was answered: a text, bytes (base64), a listing, what kind of thing it is, or an error's code. */
export type FileAnswer =
  | {readonly text: string}
  | {readonly bytes: string}
  | {readonly names: readonly string[]}
  | {readonly kind: Kind}
  | {readonly path: string}
  | {readonly code: string};
type Kind = 'file' | 'directory' | 'link' | 'other';

/** Answers by question: `read /site/a.yml`, `stat /site/roles`. */
export type SiteFiles = Map<string, FileAnswer>;

/** What a caller may ask of a stat; no times, no numbers, since those are not kept. */
export type Stat = {isFile(): boolean; isDirectory(): boolean; isSymbolicLink(): boolean};

let taking: SiteFiles | undefined;
let kept: {readonly files: SiteFiles; readonly madeMs: number; readonly live: readonly string[]} | undefined;

/** From now on every answer is taken down. */
export function takeSiteFiles(): SiteFiles {
  taking = new Map();
  return taking;
}

/**
 * From now on these answers count. Files that no answer is known of are read, unless they were changed after `madeMs` (ms since the epoch): of them nobody
 * knows what they were. Below the paths of `live` everything is read as it is now.
 */
export function useSiteFiles(files: SiteFiles, madeMs: number, live: readonly string[]): void {
  kept = {files, madeMs, live};
}

/** Back to the files as they are. */
export function useTheDisk(): void {
  taking = undefined;
  kept = undefined;
}

/** A file was changed after the plan was made that is being applied. */
class Changed extends Error {
  readonly code = 'ECHANGED';
}

/** *errors*: throws where a file was changed after the plan that is being applied was made; of such a file nobody knows what it was. */
export function refuseChanged(path: string, stats: fs.Stats): void {
  if (kept === undefined || isLive(path) || !stats.isFile() || stats.ctimeMs <= kept.madeMs) return;
  throw new Changed(`${path} was changed after the plan was made`);
}

/** *source*: node:fs. */
export function readFileSync(path: string): Buffer;
export function readFileSync(path: string, encoding: 'utf8'): string;
export function readFileSync(path: string, encoding?: 'utf8'): Buffer | string {
  if (taking === undefined && kept === undefined)
    return encoding === undefined ? fs.readFileSync(path) : fs.readFileSync(path, encoding);
  const answer = ask(`read ${path}`, path, () => {
    if (kept !== undefined) refuseChanged(path, fs.statSync(path));
    const bytes = fs.readFileSync(path);
    const text = bytes.toString('utf8');
    return Buffer.from(text, 'utf8').equals(bytes) ? {text} : {bytes: bytes.toString('base64')};
  });
  const bytes =
    'text' in answer ? Buffer.from(answer.text, 'utf8') : Buffer.from((answer as {bytes: string}).bytes, 'base64');
  return encoding === undefined ? bytes : bytes.toString(encoding);
}

/** *source*: node:fs. */
export function readdirSync(path: string): string[] {
  return [...(ask(`list ${path}`, path, () => ({names: fs.readdirSync(path)})) as {names: readonly string[]}).names];
}

/** *source*: node:fs. */
export function globSync(pattern: string, {cwd}: {readonly cwd: string}): string[] {
  const answer = ask(`glob ${join(cwd, pattern)}`, cwd, () => ({names: fs.globSync(pattern, {cwd})}));
  return [...(answer as {names: readonly string[]}).names];
}

/** *source*: node:fs. */
export function statSync(path: string): Stat;
export function statSync(path: string, options: {readonly throwIfNoEntry: false}): Stat | undefined;
export function statSync(path: string, options?: {readonly throwIfNoEntry: false}): Stat | undefined {
  return kindAt(`stat ${path}`, path, options, () => fs.statSync(path));
}

/** *source*: node:fs. */
export function lstatSync(path: string): Stat;
export function lstatSync(path: string, options: {readonly throwIfNoEntry: false}): Stat | undefined;
export function lstatSync(path: string, options?: {readonly throwIfNoEntry: false}): Stat | undefined {
  return kindAt(`lstat ${path}`, path, options, () => fs.lstatSync(path));
}

/** *source*: node:fs. */
export function existsSync(path: string): boolean {
  return statSync(path, {throwIfNoEntry: false}) !== undefined;
}

/** *source*: node:fs. */
export function realpathSync(path: string): string {
  return (ask(`realpath ${path}`, path, () => ({path: fs.realpathSync(path)})) as {path: string}).path;
}

/** *source*: node:fs. */
export function accessSync(path: string, mode: number): void {
  ask(`access ${mode} ${path}`, path, () => {
    fs.accessSync(path, mode);
    return {path};
  });
}

function kindAt(question: string, path: string, options: unknown, look: () => fs.Stats): Stat | undefined {
  try {
    const {kind} = ask(question, path, () => ({kind: kindOf(look())})) as {kind: Kind};
    return {
      isFile: () => kind === 'file',
      isDirectory: () => kind === 'directory',
      isSymbolicLink: () => kind === 'link',
    };
  } catch (error) {
    const {code} = error as NodeJS.ErrnoException;
    // as node:fs has it
    if (options !== undefined && (code === 'ENOENT' || code === 'ENOTDIR')) return undefined;
    throw error;
  }
}

function kindOf(stats: fs.Stats): Kind {
  if (stats.isSymbolicLink()) return 'link';
  return stats.isFile() ? 'file' : stats.isDirectory() ? 'directory' : 'other';
}

function ask(question: string, path: string, look: () => FileAnswer): FileAnswer {
  const known = kept === undefined || isLive(path) ? undefined : kept.files.get(question);
  if (known !== undefined) {
    if ('code' in known) throw Object.assign(new Error(`${known.code}: ${path}`), {code: known.code});
    return known;
  }
  try {
    const answer = look();
    taking?.set(question, answer);
    return answer;
  } catch (error) {
    const {code} = error as NodeJS.ErrnoException;
    if (code !== undefined) taking?.set(question, {code});
    throw error;
  }
}

function isLive(path: string): boolean {
  return kept?.live.some((folder) => path === folder || path.startsWith(`${folder}/`)) === true;
}
