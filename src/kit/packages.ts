import type {Json} from '../base/json.ts';
import type {Host} from './host.ts';
import type {Key} from './key.ts';
import type {Op, RunOp} from './op.ts';
import {change, refuse, type Change, type Plan} from './plan.ts';
import {platformOf} from './platform.ts';
import type {Problem} from './problem.ts';
import {all, list, type Probe} from './probe.ts';
import {packageState, read, stdoutText, type PackageState} from './reads.ts';
import {p, type Values} from './schema.ts';
import {aptOptions, sweepProbe, sweeps, sweepSteps, withPolicy, type Sweep} from './apt-sweep.ts';
import {sh} from './shell.ts';
import {isNonEmpty} from '../base/nonempty.ts';

function words(doc: string) {
  return p.list(p.string('a name'), doc, {default: []});
}

/** Parameters of `package`, `apt`, `dnf` and `zypper`. *source*: Ansible's modules. */
export const packageParams = {
  name: p.list(p.string('a package; `name=version` for apt'), 'packages', {aliases: ['pkg', 'package']}),
  state: p.choice(['present', 'installed', 'absent', 'removed', 'latest', 'build-dep', 'fixed'], 'what they shall be', {
    default: 'present',
  }),
  update_cache: p.boolean('refresh the package lists before something is installed', {
    default: false,
    aliases: ['update-cache', 'refresh', 'expire-cache'],
  }),
  cache_valid_time: p.integer('seconds for which package lists count as fresh', {min: 0}),
  purge: p.boolean('remove configuration files too', {default: false}),
  autoremove: p.boolean('remove packages that nothing needs any more', {default: false}),
  install_recommends: p.boolean('install recommended packages', {aliases: ['install-recommends']}),
  default_release: p.string('release to install from', {aliases: ['default-release']}),
  allow_downgrade: p.boolean('a wanted version may be older than the installed one', {
    default: false,
    aliases: ['allow-downgrade', 'allow_downgrades', 'allow-downgrades'],
  }),
  only_upgrade: p.boolean('leave packages alone that are not installed', {default: false}),
  upgrade: p.choice(
    ['no', 'yes', 'safe', 'full', 'dist'],
    'apt: upgrade all that is installed; dist: whatever it takes',
    {
      default: 'no',
    },
  ),
  clean: p.boolean('apt: remove the archives of packages from the cache', {default: false}),
  autoclean: p.boolean('apt: remove archives from the cache that can no longer be fetched', {default: false}),
  deb: p.path('apt: a package file on the host'),
  policy_rc_d: p.integer('apt: exit status of policy-rc.d while packages are set up (101: no service is started)', {
    min: 0,
    max: 255,
  }),
  dpkg_options: p.string('apt: options of dpkg, separated by commas', {default: 'force-confdef,force-confold'}),
  fail_on_autoremove: p.boolean('apt: fail where packages would be removed', {default: false}),
  enablerepo: words('dnf: use these repositories for this transaction'),
  disablerepo: words('dnf: do not use these repositories for this transaction'),
  exclude: words('dnf: leave these packages out of this transaction'),
  enable_plugin: words('dnf: with these plugins'),
  disable_plugin: words('dnf: without these plugins'),
  allowerasing: p.boolean('dnf: what stands in the way may be removed', {default: false}),
  nobest: p.boolean('dnf: an older version will do', {default: false}),
  skip_broken: p.boolean('dnf: leave out what cannot be installed', {default: false}),
  security: p.boolean('dnf: only what mends security', {default: false}),
  bugfix: p.boolean('dnf: only what mends mistakes', {default: false}),
  disable_gpg_check: p.boolean('dnf, zypper: do not check signatures', {default: false}),
  oldpackage: p.boolean('zypper: an older version will do', {default: false}),
  disable_recommends: p.boolean('zypper: do not install recommended packages'),
  extra_args: p.string('zypper: further words of its command line'),
  lock_timeout: p.integer('seconds to wait for another package manager', {default: 60, min: 0}),
  type: p.string('zypper: only packages are managed'),
  download_only: p.boolean('not supported', {default: false}),
  installroot: p.string('not supported, but for /'),
  list: p.string('not supported: use `package_facts`'),
  force: p.boolean('accepted for compatibility: conflicts are not solved by force'),
  use: p.string("accepted for compatibility: the host's own package manager is used"),
  force_apt_get: p.boolean('accepted for compatibility: apt-get is used'),
  allow_unauthenticated: p.boolean('accepted for compatibility: packages that are not signed are refused by apt', {
    aliases: ['allow-unauthenticated'],
  }),
  allow_change_held_packages: p.boolean('a held package may be changed', {default: false}),
  update_cache_retries: p.integer('accepted for compatibility: it is asked once'),
  update_cache_retry_max_delay: p.integer('accepted for compatibility: it is asked once'),
  validate_certs: p.boolean('accepted for compatibility: certificates are always checked'),
  sslverify: p.boolean('accepted for compatibility: certificates are always checked'),
  use_backend: p.string('accepted for compatibility: dnf is what it is on the host'),
  auto_import_keys: p.boolean('accepted for compatibility: keys are not imported by themselves'),
} as const;
export type PackageValues = Values<typeof packageParams>;
type Listed = {readonly cacheAgeS: number};

/** Age of apt's package lists; other managers refresh by themselves. An installation writes apt's binary cache anew, so that says nothing. */
const listsAge = read(
  sh`for c in /var/lib/apt/periodic/update-success-stamp /var/lib/apt/lists; do stat -c %Y "$c" 2>/dev/null; done | sort -n | tail -n 1; date +%s`,
  (reply): Listed => {
    const [then, now] = stdoutText(reply).trim().split('\n').map(Number);
    return {cacheAgeS: then === undefined || now === undefined ? Infinity : now - then};
  },
  {dependsOn: ['tree:/var/lib/apt/lists']},
);

/** The names; an empty list is as good as any. */
function namesOf(v: PackageValues): readonly string[] {
  return v.name ?? [];
}

/** What a plan looks at. */
export type PackagesState = {
  readonly packages: readonly PackageState[];
  readonly lists: Listed;
  readonly sweep: Sweep;
};

export function packageProbe(v: PackageValues): Probe<PackagesState> {
  const packages = list(namesOf(v).map((name) => packageState(split(name).name)));
  return all({packages, lists: listsAge, sweep: sweepProbe(v)});
}

/** Installs, removes or upgrades what is not as declared, in one transaction. */
export function planPackages(v: PackageValues, now: PackagesState, host: Host): Plan {
  const manager = platformOf(host.facts).packageManager;
  if (manager === 'none')
    return refuse(
      'no-package-manager',
      `no known package manager on ${String(host.facts['distribution'] ?? 'this host')}`,
    );
  const odd = namesOf(v).find((name) => !isPlainName(name) && !(name === '*' && manager === 'apt'));
  if (odd !== undefined)
    return refuse('unsupported', `"${odd}" is not the name of one package`, {
      param: '/name',
      help: 'name the packages, or use `command:`',
    });
  if (sweeps(v) && manager !== 'apt')
    return refuse('unsupported', 'upgrading everything and tidying up are known of apt only', {
      help: `use \`command:\` with ${manager}`,
    });
  const changes: Change[] = [];
  const install: string[] = [];
  const remove: string[] = [];
  const absent = v.state === 'absent' || v.state === 'removed';
  for (const [i, spelled] of namesOf(v).entries()) {
    if (spelled === '*') continue;
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
    } else if (version !== undefined && !isVersion(version, state.version)) {
      if (state.held)
        return refuse('held', `package ${name} is held at ${state.version}`, {
          help: `release it first: apt-mark unhold ${name}`,
        });
      changes.push({what: `package ${name}`, before: state.version, after: version});
      install.push(spelled);
    } else if (v.state === 'latest' && state.candidate !== '' && state.candidate !== state.version && !state.held) {
      changes.push({what: `package ${name}`, before: state.version, after: state.candidate});
      install.push(name);
    }
  }
  const unavailable =
    manager === 'apt'
      ? namesOf(v).filter(
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
  const refresh: Op = run(
    // apt leaves the folder's time alone where nothing is new
    ['/bin/sh', '-c', 'apt-get update -q && touch /var/lib/apt/lists'],
    ['tree:/var/lib/apt/lists'],
    [],
  );
  if (namesOf(v).length === 0 && v.update_cache && !fresh && manager === 'apt' && !sweeps(v))
    return change([{what: 'package lists', before: age(now.lists.cacheAgeS), after: 'refreshed'}], [refresh]);
  if ((install.length > 0 || sweeps(v)) && v.update_cache && !fresh && manager === 'apt') ops.push(refresh);
  if (isNonEmpty(install)) ops.push(run(installCommand(manager, install, v), own(install), everything));
  if (isNonEmpty(remove)) ops.push(run(removeCommand(manager, remove, v), everything, []));
  for (const step of sweepSteps(v, now.sweep)) {
    changes.push(...step.changes);
    ops.push(run(step.argv, everything, []));
  }
  return change(changes, ops);
}

/** Whether a task has no state to compare: it refreshes the lists, however new they are. */
export function packageEveryRun(v: PackageValues): boolean {
  return namesOf(v).length === 0 && v.update_cache && v.cache_valid_time === undefined && !sweeps(v);
}

/** Cross-field rules of the packages' parameters. */
export function packageMistakes(v: PackageValues): readonly Problem[] {
  const unsupported = v.state === 'build-dep' || v.state === 'fixed';
  return [
    ...(v.name === undefined && !v.update_cache && !sweeps(v)
      ? [{code: 'missing-param', message: 'name at least one package, or set `update_cache: true`', param: '/name'}]
      : []),
    ...notSupported(v),
    ...(unsupported
      ? [{code: 'unsupported', message: `state ${v.state} is not supported`, param: '/state', help: 'use `command:`'}]
      : []),
    ...namesOf(v).flatMap((spelled, i) =>
      isPlainName(spelled) || /^(?:\*|@.+|\/.+|https?:.+|.+ [<>=]+ .+|.*[*?].*)$/.test(spelled)
        ? []
        : [
            {
              code: 'bad-param',
              message: `"${spelled}" is no package name`,
              param: `/name/${i}`,
              help: 'name, or name=version',
            },
          ],
    ),
    ...namesOf(v).flatMap((spelled, i) =>
      isPlainName(spelled) &&
      spelled.includes('=') &&
      (v.state === 'latest' || v.state === 'absent' || v.state === 'removed')
        ? [{code: 'bad-combination', message: `a version and state ${v.state} exclude each other`, param: `/name/${i}`}]
        : [],
    ),
  ];
}

function isPlainName(spelled: string): boolean {
  return (
    /^[A-Za-z0-9_+][^\s=]*(=[^\s=]+)?$/.test(spelled) &&
    !/^https?:|[?[\]]/.test(spelled) &&
    !split(spelled).name.includes('*')
  );
}

/** Parameters that would change what the task means, and that nothing here carries out. */
function notSupported(v: PackageValues): readonly Problem[] {
  const unsupported = (param: string, what: string): Problem => ({
    code: 'unsupported',
    message: `${what} is not supported`,
    param: `/${param}`,
    help: 'use `command:`',
  });
  return [
    ...(v.download_only ? [unsupported('download_only', 'downloading without installing')] : []),
    ...(v.list !== undefined ? [unsupported('list', 'listing packages')] : []),
    ...(v.installroot !== undefined && v.installroot !== '/' ? [unsupported('installroot', 'another root')] : []),
    ...(v.type !== undefined && v.type !== 'package' ? [unsupported('type', `the type ${v.type}`)] : []),
  ];
}

/** Whether a version is the wanted one, which may end in `*` or hold it. *source*: apt-get(8), "pkg=version" with apt's globs. */
function isVersion(wanted: string, version: string): boolean {
  if (!wanted.includes('*')) return wanted === version;
  const pattern = wanted.split('*').map((part) => part.replace(/[.+?^${}()|[\]\\]/g, '\\$&'));
  return new RegExp(`^${pattern.join('.*')}$`).test(version);
}

export function packageResult(v: PackageValues): Readonly<Record<string, Json>> {
  return {name: namesOf(v), state: v.state};
}

function installCommand(manager: string, names: readonly string[], v: PackageValues): [string, ...string[]] {
  switch (manager) {
    case 'apt':
      return withPolicy(v, [
        'apt-get',
        'install',
        ...aptOptions(v),
        ...(v.install_recommends === undefined
          ? []
          : [v.install_recommends ? '--install-recommends' : '--no-install-recommends']),
        ...(v.default_release === undefined ? [] : ['-t', v.default_release]),
        ...(v.allow_downgrade ? ['--allow-downgrades'] : []),
        ...(v.allow_change_held_packages ? ['--allow-change-held-packages'] : []),
        ...(v.fail_on_autoremove ? ['--no-remove'] : []),
        ...names,
      ]);
    case 'zypper':
      return [
        'zypper',
        '--non-interactive',
        'install',
        '--auto-agree-with-licenses',
        ...(v.install_recommends === false || v.disable_recommends === true ? ['--no-recommends'] : []),
        ...(v.allow_downgrade || v.oldpackage ? ['--oldpackage'] : []),
        ...(v.disable_gpg_check ? ['--no-gpg-checks'] : []),
        ...(v.extra_args === undefined ? [] : v.extra_args.split(/\s+/).filter((word) => word !== '')),
        ...names,
      ];
    case 'apk':
      return ['apk', 'add', ...names];
    default:
      return ['dnf', 'install', '-y', ...dnfOptions(v), ...names.map((name) => name.replace('=', '-'))];
  }
}

function dnfOptions(v: PackageValues): readonly string[] {
  const each = (option: string, values: readonly string[]): string[] => values.map((value) => `--${option}=${value}`);
  return [
    ...each('enablerepo', v.enablerepo),
    ...each('disablerepo', v.disablerepo),
    ...each('exclude', v.exclude),
    ...each('enableplugin', v.enable_plugin),
    ...each('disableplugin', v.disable_plugin),
    ...(v.allowerasing ? ['--allowerasing'] : []),
    ...(v.nobest ? ['--nobest'] : []),
    ...(v.skip_broken ? ['--skip-broken'] : []),
    ...(v.security ? ['--security'] : []),
    ...(v.bugfix ? ['--bugfix'] : []),
    ...(v.disable_gpg_check ? ['--nogpgcheck'] : []),
  ];
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
      return ['dnf', 'remove', '-y', ...dnfOptions(v), ...names];
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
