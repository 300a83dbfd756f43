import type {Action} from '../engine/action.ts';
import {p} from '../kit/schema.ts';

/** Adds a host to the inventory of this run. */
export const addHost: Action = {
  name: 'add_host',
  summary: 'Add a host to the inventory of this run',
  params: {
    name: p.string('the host', {required: true, aliases: ['hostname', 'host']}),
    groups: p.list(p.string('a group'), 'groups to put it in', {aliases: ['group', 'groupname']}),
  },
  anyKeys: true,
  examples: ['- add_host:\n    name: guest1\n    groups: [guests]\n    ansible_host: 127.0.0.1\n'],
  run(values, {run}) {
    const {name, groups, ...variables} = values as {name: string; groups?: readonly string[]} & Record<string, unknown>;
    const added = run.site.addHost(name, groups ?? [], variables);
    return {
      status: added ? 'changed' : 'ok',
      changes: added ? [{what: 'inventory host', before: undefined, after: name}] : [],
    };
  },
};

/** Puts this host into a group named by a value. */
export const groupBy: Action = {
  name: 'group_by',
  summary: 'Put the host into a group of this run',
  params: {
    key: p.string('the group', {required: true}),
    parents: p.list(p.string('a group'), 'groups that contain it'),
  },
  examples: ['- group_by:\n    key: "site_{{ inventory_hostname }}"\n'],
  run(values, {run, host}) {
    const added = run.site.addToGroup(
      host.name,
      String(values['key']).replaceAll(/[ -]/g, '_'),
      (values['parents'] as readonly string[] | undefined) ?? [],
    );
    return {
      status: added ? 'changed' : 'ok',
      changes: added ? [{what: 'group', before: undefined, after: String(values['key'])}] : [],
    };
  },
};
