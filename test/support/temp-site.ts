// A site in a temporary folder, from a few texts.
import {mkdirSync, mkdtempSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {dirname, join} from 'node:path';
import {placeOf, type Diagnostic} from '../../src/base/diagnostic.ts';
import {Catalog} from '../../src/catalog/catalog.ts';
import {loadPlaybooks, type Loaded} from '../../src/playbook/load.ts';
import {openSite, type Site, type SiteOptions} from '../../src/playbook/site.ts';
import {validateSite} from '../../src/playbook/validate.ts';
import {actions} from './actions.ts';

export type Files = Readonly<Record<string, string>>;

const inventory = 'all:\n  hosts:\n    h1:\n    h2:\n';

/** Writes files into a fresh folder and gives it to `use`; the folder is gone afterwards. */
export async function withFiles<T>(files: Files, use: (folder: string) => T | Promise<T>): Promise<T> {
  const folder = mkdtempSync(join(tmpdir(), 'tsplay-site-'));
  try {
    for (const [path, text] of Object.entries(files)) {
      mkdirSync(dirname(join(folder, path)), {recursive: true});
      writeFileSync(join(folder, path), text);
    }
    return await use(folder);
  } finally {
    rmSync(folder, {recursive: true, force: true});
  }
}

/** Loads `site.yml` of some files. */
export function load(files: Files): Promise<Loaded> {
  return withFiles(files, (cwd) => loadPlaybooks(['site.yml'], {catalog: new Catalog({actions, cwd}), cwd}));
}

/** Opens `site.yml` with `hosts.yml` (two hosts if it is not given). */
export function open<T>(
  files: Files,
  use: (site: Site, problems: readonly Diagnostic[]) => T,
  options: Partial<SiteOptions> = {},
): Promise<T> {
  return withFiles({'hosts.yml': inventory, ...files}, async (cwd) => {
    const {site, problems} = await openSite({
      playbooks: ['site.yml'],
      inventories: ['hosts.yml'],
      actions,
      cwd,
      home: join(cwd, 'home'),
      readOnly: true,
      ...options,
    });
    return use(site, problems);
  });
}

/** Everything that validation finds, with its place. */
export function validate(files: Files, options: Partial<SiteOptions> = {}): Promise<readonly Diagnostic[]> {
  return open(files, (site) => validateSite(site), options);
}

/** `file:line:column code message`, for tables. */
export function brief(problems: readonly Diagnostic[]): string[] {
  return problems.map(({span, code, message}) => `${span === undefined ? '-' : placeOf(span)} ${code} ${message}`);
}

/** Tasks as the only play's. */
export function play(tasks: string, more = ''): string {
  return `- hosts: all\n${more}  tasks:\n${tasks.replace(/^(?=.)/gm, '    ')}\n`;
}
