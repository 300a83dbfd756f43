import {unitKey, unitName, type Key} from './key.ts';
import type {Op} from './op.ts';
import {change, converged, refuse, type Change, type Plan} from './plan.ts';
import {all, nothing, type Probe} from './probe.ts';
import {file, unit, type FileState, type UnitState} from './reads.ts';
import type {Problem} from './problem.ts';
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
  daemon_reexec: p.boolean('let systemd start itself anew first', {default: false, aliases: ['daemon-reexec']}),
  force: p.boolean('links that are in the way of enabling are replaced', {default: false}),
  no_block: p.boolean('do not wait until it is done', {default: false}),
  scope: p.choice(['system'], 'only the system manager', {default: 'system'}),
  use: p.string('accepted for compatibility: systemd'),
  pattern: p.string('accepted for compatibility: systemd knows what runs'),
  sleep: p.integer('seconds between stop and start of a restart', {min: 0}),
  arguments: p.string('accepted for compatibility: systemd takes none', {aliases: ['args']}),
  runlevel: p.string('accepted for compatibility: systemd has none'),
} as const;
export type ServiceValues = Values<typeof serviceParams>;

/** A unit as systemd knows it, and the administrator's own file for it, which an earlier task may just have written. */
export type ServiceState = {readonly unit: UnitState; readonly local: FileState};

export function serviceProbe(v: ServiceValues): Probe<ServiceState> {
  return v.name === undefined
    ? nothing<ServiceState>({unit: {type: 'none'}, local: {type: 'absent'}})
    : all({unit: unit(v.name), local: file(localUnit(v.name))});
}

/** Where an administrator's unit file lies; that of `name@instance` is the template `name@`. *source*: systemd.unit(5). */
function localUnit(name: string): string {
  return `/etc/systemd/system/${unitName(name).replace(/@[^.]*(?=\.)/, '@')}`;
}

/** Whether a task has no state to compare: it restarts, reloads, or lets systemd read its files. */
export function serviceEveryRun(v: ServiceValues): boolean {
  return (
    v.state === 'restarted' || v.state === 'reloaded' || v.daemon_reexec || (v.name === undefined && v.daemon_reload)
  );
}

/** Cross-field rules of a service's parameters. */
export function serviceMistakes(v: ServiceValues): readonly Problem[] {
  if (v.name !== undefined) return [];
  return v.state !== undefined ||
    v.enabled !== undefined ||
    v.masked !== undefined ||
    !(v.daemon_reload || v.daemon_reexec)
    ? [{code: 'missing-param', message: 'the unit is needed', help: 'name: ssh'}]
    : [];
}

/** The plan for one unit. Masked, missing and systemd-less are refusals with what to do. */
export function planService(v: ServiceValues, {unit: seen, local}: ServiceState): Plan {
  if (v.name === undefined) {
    return change(
      [
        ...(v.daemon_reexec ? [{what: 'systemd', before: undefined, after: 'started anew'}] : []),
        ...(v.daemon_reload ? [{what: 'unit files', before: undefined, after: 'read anew'}] : []),
      ],
      [
        ...(v.daemon_reexec ? [systemctl(['daemon-reexec'], ['unit:*'])] : []),
        ...(v.daemon_reload ? [systemctl(['daemon-reload'], ['unit:*'])] : []),
      ],
    );
  }
  const name = unitName(v.name);
  const key = unitKey(v.name);
  if (seen.type === 'none')
    return refuse('no-systemd', `systemd does not run here, so the state of ${name} cannot be managed`, {
      help: 'start it with `command:`, or leave the task out with `when: ansible_service_mgr == "systemd"`',
    });
  // The file is there and systemd has not looked since: it will know the unit after a daemon-reload.
  const written = local.type === 'file' || (local.type === 'link' && local.followed.type === 'file');
  const unread = written && (seen.load === 'not-found' || (seen.startedS > 0 && local.mtimeS > seen.startedS));
  const now =
    seen.load === 'not-found' && written
      ? {...seen, load: 'loaded', enabled: seen.enabled === '' ? 'disabled' : seen.enabled}
      : seen;
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
  const block = v.no_block ? ['--no-block'] : [];
  if (v.daemon_reexec) {
    changes.push({what: 'systemd', before: undefined, after: 'started anew'});
    ops.push(systemctl(['daemon-reexec'], ['unit:*']));
  }
  if (v.daemon_reload || now.needsReload || unread) {
    if (now.needsReload || seen.load === 'not-found')
      changes.push({
        what: 'unit file',
        before: seen.load === 'not-found' ? 'not read yet' : 'changed on disk',
        after: 'read anew',
      });
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
    ops.push(systemctl([v.enabled ? 'enable' : 'disable', ...(v.enabled && v.force ? ['--force'] : []), name], [key]));
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
  _before: ServiceState,
  after: ServiceState | Unknown,
): Readonly<Record<string, Json>> {
  const status =
    after instanceof Unknown || after.unit.type === 'none'
      ? {}
      : {
          ActiveState: after.unit.active,
          SubState: after.unit.sub,
          LoadState: after.unit.load,
          UnitFileState: after.unit.enabled,
          MainPID: String(after.unit.mainPid),
        };
  return {name: v.name ?? null, state: v.state ?? null, enabled: v.enabled ?? null, status};
}

function systemctl(words: readonly string[], affects: readonly Key[]): Op {
  return {op: 'run', argv: ['systemctl', ...words], affects};
}

function yes(value: boolean): string {
  return value ? 'yes' : 'no';
}
