import {actions} from '../actions/index.ts';
import type {SiteOptions} from '../playbook/site.ts';
import type {VaultPassword} from '../secrets/vault.ts';
import type {Settings} from './settings.ts';
import {inventoryAsking} from './inventory-plugins.ts';
import {list} from './vault-passwords.ts';

/** What the command line and the settings say of the site: which files, which hosts, which tasks. */
export function siteOptionsOf(
  playbooks: readonly string[],
  options: Readonly<Record<string, unknown>>,
  settings: Settings,
  more: {
    readonly cwd: string;
    readonly home: string;
    readonly vaultPasswords: readonly VaultPassword[];
    readonly check: boolean;
  },
): SiteOptions {
  const inventories = list(options['inventory']);
  const words = (name: string): readonly string[] =>
    list(options[name])
      .flatMap((text) => text.split(','))
      .map((word) => word.trim());
  return {
    playbooks,
    ...inventoryAsking(options, settings, async (...args) => (await import('./on-hosts.ts')).onHosts(...args)),
    inventories: inventories.length > 0 ? inventories : (settings.inventory ?? ['inventory/']),
    actions,
    cwd: more.cwd,
    extraVars: list(options['extraVars']),
    limit: list(options['limit']),
    tags: words('tags'),
    skipTags: words('skipTags'),
    ...(options['startAtTask'] === undefined ? {} : {startAtTask: String(options['startAtTask'])}),
    vaultPasswords: more.vaultPasswords,
    modulePaths: settings.modules_path ?? [],
    rolePaths: settings.roles_path ?? [],
    env: process.env,
    home: more.home,
    settings: {
      checkMode: more.check,
      diffMode: options['diff'] === true,
      forks: Number(options['forks'] ?? settings.forks ?? 50),
      verbosity: Number(options['verbose'] ?? 0),
    },
    readOnly: more.check,
    // the connection options count below the inventory, and templates may ask for them
    connectionValues: (host) => ({
      ansible_connection: String(options['connection'] ?? (host === 'localhost' ? 'local' : 'ssh')),
    }),
  };
}
