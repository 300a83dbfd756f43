import {homedir} from 'node:os';
import {join} from 'node:path';
import type {SiteOptions} from '../playbook/site.ts';
import type {AskHosts} from './guest-inventory.ts';
import type {Settings} from './settings.ts';
import {stateFolder} from './state.ts';

/** How inventories that are programs are asked: what files may name as their plugin (loaded when one does), and how long answers count. */
export function inventoryAsking(
  options: Readonly<Record<string, unknown>>,
  settings: Settings,
  ask: AskHosts,
): Required<Pick<SiteOptions, 'inventoryPlugins' | 'inventoryCache'>> {
  const state = stateFolder(settings.state_dir, process.env, process.env['HOME'] ?? homedir());
  return {
    inventoryPlugins: new Map([
      [
        'kvm_guests',
        async (given, span) => (await import('./guest-inventory.ts')).readGuests(given, span, options, ask),
      ],
    ]),
    inventoryCache: {
      folder: join(state, 'inventory'),
      seconds: settings.inventory_cache ?? 0,
      refresh: options['refreshInventory'] === true,
    },
  };
}
