import {unitKey, unitName, type Key} from './key.ts';
import type {Op} from './op.ts';
import {change, converged, refuse, type Change, type Plan} from './plan.ts';
import {all, map, type Probe} from './probe.ts';
import {unit, type UnitState} from './reads.ts';
import {p, type Values} from './schema.ts';
import type {Json} from '../base/json.ts';
import {Unknown} from '../base/unknown.ts';

/** Parameters of `service` and `systemd`, which differ in name only. *source*: Ansible's modules. */
export const serviceParams = {
  name: p.string('the unit; without a suffix a service', {aliases: ['unit', 'service']}),
  state: p.choice(
    ['started', 'stopped', 'restarted', 'reloaded'],
    'what it shall be; restarted and reloaded act in every run',
  ),
  enabled: p.boolean('whether it starts at boot'),
  masked: p.boolean('whether it may be started at all'),
  daemon_reload: p.boolean(
    'let systemd read its unit files anew first (done by itself where it says that it is needed)',
    {default: false, aliases: ['daemon-reload']},
  ),
  daemon_reexec: p.boolean('accepted for compatibility'),
  force: p.boolean('accepted for compatibility'),
  no_block: p.boolean('do not wait until it is done', {default: false}),
  scope: p.choice(['system'], 'only the system manager', {default: 'system'}),
  use: p.string('accepted for compatibility'),
  pattern: p.string('accepted for compatibility'),
  sleep: p.integer('seconds between stop and start of a restart', {min: 0}),
  arguments: p.string('accepted for compatibility'),
  runlevel: p.string('accepted for compatibility'),
} as const;
export type ServiceValues = Values<typeof serviceParams>;

export function serviceProbe(v: ServiceValues): Probe<UnitState> {
  return v.name === undefined
    ? {reads: [], join: () => ({type: 'none'})}
    : map(all({unit: unit(v.name)}), (s) => s.unit);
}

/** The plan for one unit. Masked, missing and systemd-less are refusals with what to do. */
export function planService(v: ServiceValues, now: UnitState): Plan {
  if (v.name === undefined) {
    return v.daemon_reload
      ? change(
          [{what: 'unit files', before: undefined, after: 'read anew'}],
          [systemctl(['daemon-reload'], ['unit:*'])],
        )
      : converged();
  }
  const name = unitName(v.name);
  const key = unitKey(v.name);
  if (now.type === 'none')
    return refuse('no-systemd', `systemd does not run here, so the state of ${name} cannot be managed`);
  const wantsThere = v.state === 'started' || v.state === 'restarted' || v.state === 'reloaded' || v.enabled === true;
  if (now.load === 'not-found') {
    if (wantsThere)
      return refuse('no-unit', `no unit ${name} on this host`, {
        help: 'install its package first, or correct the name',
      });
    return converged();
  }
  const changes: Change[] = [];
  const ops: Op[] = [];
  const after = {...now};
  const block = v.no_block ? ['--no-block'] : [];
  if (v.daemon_reload || now.needsReload) {
    if (now.needsReload) changes.push({what: 'unit file', before: 'changed on disk', after: 'read anew'});
    ops.push(systemctl(['daemon-reload'], ['unit:*']));
  }
  const masked = now.enabled === 'masked' || now.load === 'masked';
  if (v.masked !== undefined && v.masked !== masked) {
    changes.push({what: 'masked', before: yes(masked), after: yes(v.masked)});
    ops.push(systemctl([v.masked ? 'mask' : 'unmask', name], [key]));
  } else if (masked && wantsThere) return refuse('masked', `${name} is masked`, {help: '`masked: false` unmasks it'});
  const enabled = [
    'enabled',
    'enabled-runtime',
    'static',
    'indirect',
    'generated',
    'alias',
    'linked',
    'transient',
  ].includes(now.enabled);
  const fixed =
    now.enabled === 'static' ||
    now.enabled === 'generated' ||
    now.enabled === 'indirect' ||
    now.enabled === 'transient';
  if (v.enabled !== undefined && v.enabled !== enabled && !(fixed && v.enabled)) {
    if (fixed)
      return refuse('not-switchable', `${name} has no [Install] section (${now.enabled}), so it cannot be disabled`, {
        help: '`masked: true` keeps it from starting',
      });
    changes.push({what: 'enabled', before: yes(enabled), after: yes(v.enabled)});
    ops.push(systemctl([v.enabled ? 'enable' : 'disable', name], [key]));
    after.enabled = v.enabled ? 'enabled' : 'disabled';
  }
  const runs = now.active === 'active' || now.active === 'activating' || now.active === 'reloading';
  switch (v.state) {
    case 'started':
      if (!runs) {
        changes.push({what: 'state', before: now.active, after: 'active'});
        ops.push(systemctl([...block, 'start', name], [key, 'port:*', `tree:/run`]));
      }
      break;
    case 'stopped':
      if (runs || now.active === 'deactivating') {
        changes.push({what: 'state', before: now.active, after: 'inactive'});
        ops.push(systemctl([...block, 'stop', name], [key, 'port:*', `tree:/run`]));
      }
      break;
    case 'restarted':
    case 'reloaded': {
      const verb = v.state === 'restarted' || !runs ? 'restart' : 'reload-or-restart';
      changes.push({what: 'state', before: now.active, after: v.state});
      ops.push(systemctl([...block, verb, name], [key, 'port:*', `tree:/run`]));
      break;
    }
    case undefined:
      break;
  }
  return changes.length === 0 ? converged() : change(changes, ops);
}

export function serviceResult(
  v: ServiceValues,
  _before: UnitState,
  after: UnitState | Unknown,
): Readonly<Record<string, Json>> {
  const status =
    after instanceof Unknown || after.type === 'none'
      ? {}
      : {
          ActiveState: after.active,
          SubState: after.sub,
          LoadState: after.load,
          UnitFileState: after.enabled,
          MainPID: String(after.mainPid),
        };
  return {name: v.name ?? null, state: v.state ?? null, enabled: v.enabled ?? null, status};
}

function systemctl(words: readonly string[], affects: readonly Key[]): Op {
  return {op: 'run', argv: ['systemctl', ...words], affects};
}

function yes(value: boolean): string {
  return value ? 'yes' : 'no';
}
