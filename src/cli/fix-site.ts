import {randomBytes} from 'node:crypto';
import {chmodSync, readFileSync, readdirSync, renameSync, statSync, writeFileSync} from 'node:fs';
import {dirname, join, relative, resolve} from 'node:path';
import type {Source} from '../base/diagnostic.ts';
import {applyFixes, diffOfFixes, findFixes, usedAsBooleans, yesNoNames, type FileRole} from '../playbook/fixes.ts';
import type {Item} from '../playbook/program.ts';
import type {Site} from '../playbook/site.ts';
import {isVault} from '../secrets/vault.ts';

/** Fixes a site's files in place, each atomically; gives what was done as one diff, '' where there was nothing to do. */
export function fixSite(site: Site, cwd: string, inventories: readonly string[]): string {
  const files = filesOf(site, cwd, inventories);
  const sources = [...files].flatMap(([path, role]): {source: Source; path: string; role: FileRole}[] => {
    const text = readText(path);
    if (text === undefined) return [];
    const shown = relative(cwd, path);
    return [{path, role, source: {path: shown.startsWith('..') ? path : shown, text}}];
  });
  const names = new Set(sources.flatMap(({source, role}) => yesNoNames(source, role)));
  const templates = [...new Set(sources.map(({path}) => join(dirname(path), '..', 'templates')))].flatMap(filesIn);
  const texts = [
    ...sources.map(({source}) => source.text),
    ...templates.flatMap((path) => readText(path) ?? []),
    ...[...new Set(sources.map(({path}) => join(dirname(path), 'templates')))]
      .flatMap(filesIn)
      .flatMap((path) => readText(path) ?? []),
  ];
  const asBoolean = usedAsBooleans(names, texts);
  let diff = '';
  for (const {path, role, source} of sources) {
    const fixes = findFixes(source, role, site.catalog, asBoolean);
    if (fixes.length === 0) continue;
    diff += diffOfFixes(source, fixes);
    const draft = `${path}.${randomBytes(6).toString('hex')}.tmp`;
    writeFileSync(draft, applyFixes(source.text, fixes), {flag: 'wx'});
    chmodSync(draft, statSync(path).mode & 0o777);
    renameSync(draft, path);
  }
  return diff;
}

/** The files that a site is made of: those of its plays, tasks and handlers, those beside them in roles, and those of variables. */
function filesOf(site: Site, cwd: string, inventories: readonly string[]): ReadonlyMap<string, FileRole> {
  const files = new Map<string, FileRole>();
  const roles = new Set<string>();
  const walk = (items: readonly Item[]): void => {
    for (const item of items) {
      files.set(resolve(cwd, item.span.source.path), 'tasks');
      if (item.role !== undefined) roles.add(resolve(cwd, item.role.path));
      if (item.item === 'block') for (const part of [item.block, item.rescue, item.always]) walk(part);
    }
  };
  const folders = new Set<string>(
    inventories.map((path) => (isFolder(resolve(cwd, path)) ? resolve(cwd, path) : dirname(resolve(cwd, path)))),
  );
  for (const play of site.program.plays) {
    files.set(resolve(cwd, play.span.source.path), 'tasks');
    folders.add(play.folder);
    walk(play.items);
    walk(play.handlers);
  }
  for (const role of roles) {
    for (const part of ['tasks', 'handlers']) for (const path of yamlIn(join(role, part))) files.set(path, 'tasks');
    for (const part of ['defaults', 'vars']) for (const path of yamlIn(join(role, part))) files.set(path, 'variables');
  }
  for (const folder of folders)
    for (const part of ['group_vars', 'host_vars'])
      for (const path of filesIn(join(folder, part)))
        if (/(?:\.ya?ml|\/[^.]+)$/.test(path)) files.set(path, 'variables');
  return files;
}

function readText(path: string): string | undefined {
  try {
    const text = readFileSync(path, 'utf8');
    return isVault(text) || text.includes('\0') ? undefined : text;
  } catch {
    return undefined;
  }
}

function isFolder(path: string): boolean {
  return statSync(path, {throwIfNoEntry: false})?.isDirectory() === true;
}

function yamlIn(folder: string): readonly string[] {
  return filesIn(folder).filter((path) => /\.ya?ml$/.test(path));
}

/** All files below a folder; none where there is no such folder. */
function filesIn(folder: string): readonly string[] {
  if (!isFolder(folder)) return [];
  return readdirSync(folder, {withFileTypes: true, recursive: true})
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));
}
