import {placeOf} from '../base/diagnostic.ts';
import {actions} from '../actions/index.ts';
import {Secret} from '../base/secret.ts';
import {originOf, writtenNames} from '../playbook/origins.ts';
import {openSite, type Site} from '../playbook/site.ts';
import {formatDiagnostic} from '../report/code-frame.ts';
import {exitStatus} from './exit-status.ts';
import {readSettings} from './settings.ts';
import {inventoryAsking} from './inventory-plugins.ts';
import {list, vaultPasswords} from './vault-passwords.ts';

type Options = Readonly<Record<string, unknown>>;

/** `tsplay inventory`: as JSON, as a tree, or one host's variables with the place each comes from. */
export async function inventoryCommand(options: Options): Promise<void> {
  const cwd = process.cwd();
  const {settings} = readSettings(cwd, process.env);
  const vault = await vaultPasswords(options, settings.vault_password_file ?? [], {
    cwd,
    home: process.env['HOME'] ?? '/',
  });
  const given = list(options['inventory']);
  const {site, problems} = await openSite({
    playbooks: [],
    ...inventoryAsking(options, settings, async (...args) => (await import('./on-hosts.ts')).onHosts(...args)),
    inventories: given.length > 0 ? given : (settings.inventory ?? ['inventory/']),
    actions,
    cwd,
    extraVars: list(options['extraVars']),
    limit: list(options['limit']),
    vaultPasswords: vault.passwords,
    env: process.env,
    readOnly: true,
  });
  for (const problem of problems)
    process.stderr.write(`${formatDiagnostic(problem, {color: process.stderr.isTTY})}\n\n`);
  if (problems.some((problem) => problem.severity === 'error')) {
    process.exitCode = exitStatus.nothingAttempted;
    return;
  }
  if (options['host'] !== undefined) showHost(site, String(options['host']));
  else if (options['list'] === true) process.stdout.write(`${JSON.stringify(asList(site), undefined, 2)}\n`);
  else process.stdout.write(graph(site, 'all', 0));
}

function showHost(site: Site, host: string): void {
  if (site.inventory.host(host) === undefined) {
    process.stderr.write(`no host "${host}" in the inventory\n`);
    process.exitCode = exitStatus.nothingAttempted;
    return;
  }
  const scope = scopeOf(site, host);
  for (const name of [...writtenNames(site.variables, host)].sort()) {
    const [strongest, ...weaker] = originOf(site.variables, host, name);
    const value = scope.lookup(name);
    const shown = value?.ok === true ? json(value.value) : '(cannot be evaluated)';
    process.stdout.write(
      `${name}: ${shown}\n    ${strongest?.place ?? ''} (${strongest?.title ?? ''})${weaker.map((o) => `\n    over ${o.place} (${o.title})`).join('')}\n`,
    );
  }
}

function asList(site: Site): unknown {
  const groups: Record<string, unknown> = {};
  const hostvars: Record<string, unknown> = {};
  for (const name of site.inventory.groupNames()) {
    const group = site.inventory.group(name);
    // as with ansible-inventory: hosts of no other group than `all` stand in `ungrouped`
    const hosts = name === 'all' ? [] : (group?.hosts ?? []);
    groups[name] = {hosts, children: group?.children ?? []};
  }
  for (const host of site.inventory.hostNames()) {
    const scope = scopeOf(site, host);
    const values: Record<string, unknown> = {};
    for (const name of writtenNames(site.variables, host)) {
      const value = scope.lookup(name);
      if (value?.ok === true) values[name] = value.value;
    }
    hostvars[host] = values;
  }
  return {_meta: {hostvars}, ...groups};
}

function scopeOf(site: Site, host: string): ReturnType<Site['bareScope']> {
  return site.scopeAt(host);
}

function graph(site: Site, group: string, depth: number): string {
  const {inventory} = site;
  const found = inventory.group(group);
  const indent = '  |'.repeat(depth);
  let text = `${indent}${depth === 0 ? '' : '--'}@${group}:${found?.span === undefined ? '' : `  ${placeOf(found.span)}`}\n`;
  if (depth === 0) text = `@${group}:\n`;
  for (const child of found?.children ?? []) text += graph(site, child, depth + 1);
  for (const host of found?.hosts ?? []) text += `${'  |'.repeat(depth + 1)}--${host}\n`;
  return text;
}

function json(value: unknown): string {
  if (value instanceof Secret) return value.masked();
  return JSON.stringify(value);
}
