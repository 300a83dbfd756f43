import type {Json} from '../base/json.ts';
import type {Host} from './host.ts';
import type {Key} from './key.ts';
import type {Op, RunOp} from './op.ts';
import {change, refuse, type Change, type Plan} from './plan.ts';
import {platformOf} from './platform.ts';
import {all, list, type Probe} from './probe.ts';
import {packageState, read, stdoutText, type PackageState} from './reads.ts';
import {p, type Values} from './schema.ts';
import {sh} from './shell.ts';
import {isNonEmpty} from '../base/nonempty.ts';

/** Parameters of `package`, `apt`, `dnf` and `zypper`. *source*: Ansible's modules. */
export const packageParams = {
  name: p.list(p.string('a package; `name=version` for apt'), 'packages', {aliases: ['pkg', 'package'], default: []}),
  state: p.choice(['present', 'installed', 'absent', 'removed', 'latest', 'build-dep', 'fixed'], 'what they shall be', {
    default: 'present',
  }),
  update_cache: p.boolean('refresh the package lists before something is installed', {
    default: false,
    aliases: ['update-cache', 'refresh'],
  }),
  cache_valid_time: p.integer('seconds for which package lists count as fresh', {min: 0}),
  purge: p.boolean('remove configuration files too', {default: false}),
  autoremove: p.boolean('remove packages that nothing needs any more', {default: false}),
  install_recommends: p.boolean('install recommended packages', {aliases: ['install-recommends']}),
  default_release: p.string('release to install from', {aliases: ['default-release']}),
  allow_downgrade: p.boolean('a wanted version may be older than the installed one', {default: false}),
  force: p.boolean('accepted for compatibility'),
  only_upgrade: p.boolean('leave packages alone that are not installed', {default: false}),
  upgrade: p.string('not supported: name the packages, with state latest'),
  use: p.string('accepted for compatibility'),
  disable_gpg_check: p.boolean('accepted for compatibility'),
  lock_timeout: p.integer('seconds to wait for another package manager', {default: 60, min: 0}),
} as const;
export type PackageValues = Values<typeof packageParams>;
type Listed = {readonly cacheAgeS: number};

/** Age of apt's package lists; other managers refresh by themselves. */
const listsAge = read(
  sh`f=/var/lib/apt/lists; for c in /var/lib/apt/periodic/update-success-stamp /var/cache/apt/pkgcache.bin $f; do [ -e "$c" ] && { stat -c %Y "$c"; break; }; done; date +%s`,
  (reply): Listed => {
    const [then, now] = stdoutText(reply).trim().split('\n').map(Number);
    return {cacheAgeS: then === undefined || now === undefined ? Infinity : now - then};
  },
  {dependsOn: ['tree:/var/lib/apt/lists']},
);

export function packageProbe(v: PackageValues): Probe<{packages: readonly PackageState[]; lists: Listed}> {
  return all({packages: list(v.name.map((name) => packageState(split(name).name))), lists: listsAge});
}

/** Installs, removes or upgrades what is not as declared, in one transaction. */
export function planPackages(
  v: PackageValues,
  now: {packages: readonly PackageState[]; lists: Listed},
  host: Host,
): Plan {
  const manager = platformOf(host.facts).packageManager;
  if (v.upgrade !== undefined && v.upgrade !== 'no' && v.upgrade !== 'False')
    return refuse('unsupported', '`upgrade` is not supported', {help: 'name the packages, with `state: latest`'});
  if (manager === 'none')
    return refuse(
      'no-package-manager',
      `no known package manager on ${String(host.facts['distribution'] ?? 'this host')}`,
    );
  const changes: Change[] = [];
  const install: string[] = [];
  const remove: string[] = [];
  const absent = v.state === 'absent' || v.state === 'removed';
  for (const [i, spelled] of v.name.entries()) {
    const {name, version} = split(spelled);
    const state = now.packages[i]!;
    if (absent) {
      if (!state.installed) continue;
      changes.push({what: `package ${name}`, before: state.version, after: undefined});
      remove.push(name);
    } else if (!state.installed) {
      if (v.only_upgrade) continue;
      changes.push({
        what: `package ${name}`,
        before: undefined,
        after: version ?? (state.candidate === '' ? 'installed' : state.candidate),
      });
      install.push(spelled);
    } else if (version !== undefined && version !== state.version) {
      changes.push({what: `package ${name}`, before: state.version, after: version});
      install.push(spelled);
    } else if (v.state === 'latest' && state.candidate !== '' && state.candidate !== state.version && !state.held) {
      changes.push({what: `package ${name}`, before: state.version, after: state.candidate});
      install.push(name);
    }
  }
  const unavailable =
    manager === 'apt'
      ? v.name.filter(
          (name, i) =>
            !absent && !now.packages[i]!.installed && now.packages[i]!.candidate === '' && install.includes(name),
        )
      : [];
  if (unavailable.length > 0 && !v.update_cache) {
    return refuse(
      'no-candidate',
      `no package ${unavailable.join(', ')} in the package lists of this host (${age(now.lists.cacheAgeS)})`,
      {help: 'correct the name, or refresh the lists with `update_cache: true`'},
    );
  }
  const ops: Op[] = [];
  // An installation brings new things and leaves what is there; a removal may take anything along.
  const own = (names: readonly string[]): Key[] => names.map((name): Key => `package:${split(name).name}`);
  const everything: readonly Key[] = [
    'package:*',
    'unit:*',
    'account:*',
    'group:*',
    'tree:/etc',
    'tree:/usr',
    'tree:/var',
    'tree:/run',
    'port:*',
  ];
  const fresh = v.cache_valid_time !== undefined && now.lists.cacheAgeS <= v.cache_valid_time;
  if (install.length > 0 && v.update_cache && !fresh && manager === 'apt')
    ops.push(run(['apt-get', 'update', '-q'], ['tree:/var/lib/apt/lists'], []));
  if (isNonEmpty(install)) ops.push(run(installCommand(manager, install, v), own(install), everything));
  if (isNonEmpty(remove)) ops.push(run(removeCommand(manager, remove, v), everything, []));
  return change(changes, ops);
}

export function packageResult(v: PackageValues): Readonly<Record<string, Json>> {
  return {name: v.name, state: v.state};
}

function installCommand(manager: string, names: readonly string[], v: PackageValues): [string, ...string[]] {
  switch (manager) {
    case 'apt':
      return [
        'apt-get',
        'install',
        '-y',
        '-q',
        '-o',
        'Dpkg::Options::=--force-confdef',
        '-o',
        'Dpkg::Options::=--force-confold',
        '-o',
        `DPkg::Lock::Timeout=${v.lock_timeout}`,
        ...(v.install_recommends === undefined
          ? []
          : [v.install_recommends ? '--install-recommends' : '--no-install-recommends']),
        ...(v.default_release === undefined ? [] : ['-t', v.default_release]),
        ...(v.allow_downgrade ? ['--allow-downgrades'] : []),
        ...names,
      ];
    case 'zypper':
      return [
        'zypper',
        '--non-interactive',
        'install',
        '--auto-agree-with-licenses',
        ...(v.install_recommends === false ? ['--no-recommends'] : []),
        ...(v.allow_downgrade ? ['--oldpackage'] : []),
        ...names,
      ];
    case 'apk':
      return ['apk', 'add', ...names];
    default:
      return ['dnf', 'install', '-y', ...names.map((name) => name.replace('=', '-'))];
  }
}

function removeCommand(manager: string, names: readonly string[], v: PackageValues): [string, ...string[]] {
  switch (manager) {
    case 'apt':
      return [
        'apt-get',
        v.purge ? 'purge' : 'remove',
        '-y',
        '-q',
        '-o',
        `DPkg::Lock::Timeout=${v.lock_timeout}`,
        ...(v.autoremove ? ['--autoremove'] : []),
        ...names,
      ];
    case 'zypper':
      return ['zypper', '--non-interactive', 'remove', ...(v.autoremove ? ['--clean-deps'] : []), ...names];
    case 'apk':
      return ['apk', 'del', ...names];
    default:
      return ['dnf', 'remove', '-y', ...names];
  }
}

function run(argv: RunOp['argv'], affects: readonly Key[], creates: readonly Key[]): Op {
  return {
    op: 'run',
    argv,
    affects,
    ...(creates.length === 0 ? {} : {creates}),
    environment: {DEBIAN_FRONTEND: 'noninteractive', DEBIAN_PRIORITY: 'critical', APT_LISTCHANGES_FRONTEND: 'none'},
    timeoutMs: 1_800_000,
  };
}

function split(spelled: string): {name: string; version: string | undefined} {
  const [name = '', version] = spelled.split('=', 2);
  return {name, version};
}

function age(seconds: number): string {
  if (!Number.isFinite(seconds)) return 'never fetched';
  if (seconds < 7200) return `${Math.round(seconds / 60)} minutes old`;
  return seconds < 172_800 ? `${Math.round(seconds / 3600)} hours old` : `${Math.round(seconds / 86_400)} days old`;
}
