// What apt does to all packages rather than to named ones: upgrades, removal of what nothing needs, its cache, a package file. apt itself says
// beforehand what it would do (`-s`), so check mode and the second run know.
import {isNonEmpty} from '../base/nonempty.ts';
import type {Change} from './plan.ts';
import {nothing, type Probe} from './probe.ts';
import {read, stdoutText} from './reads.ts';
import {sh} from './shell.ts';

/** The parameters that this is about. */
export type SweepValues = {
  readonly name?: readonly string[] | undefined;
  readonly state: string;
  readonly upgrade: 'no' | 'yes' | 'safe' | 'full' | 'dist';
  readonly autoremove: boolean;
  readonly autoclean: boolean;
  readonly clean: boolean;
  readonly purge: boolean;
  readonly deb: string | undefined;
  readonly dpkg_options: string;
  readonly lock_timeout: number;
  readonly policy_rc_d: number | undefined;
  readonly allow_downgrade: boolean;
};

/** What apt would do. `deb`: the package file's name and version, and the version installed. */
export type Sweep = {
  readonly upgrade: readonly string[];
  readonly autoremove: readonly string[];
  readonly autoclean: readonly string[];
  readonly archives: number;
  readonly deb:
    {readonly name: string; readonly version: string; readonly installed: string; readonly newer: boolean} | undefined;
};

const versionFormat = '${db:Status-Status}/${Version}';

const none: Sweep = {upgrade: [], autoremove: [], autoclean: [], archives: 0, deb: undefined};

function upgradeOf(v: SweepValues): 'upgrade' | 'dist-upgrade' | undefined {
  if (v.upgrade === 'full' || v.upgrade === 'dist') return 'dist-upgrade';
  return v.upgrade !== 'no' || (v.state === 'latest' && v.name?.includes('*') === true) ? 'upgrade' : undefined;
}

/** Whether a task does anything of this. Together with names, `autoremove` belongs to the removal. */
export function sweeps(v: SweepValues): boolean {
  const alone = v.name === undefined;
  return upgradeOf(v) !== undefined || v.clean || v.autoclean || v.deb !== undefined || (alone && v.autoremove);
}

/** Asks apt what it would do. */
export function sweepProbe(v: SweepValues): Probe<Sweep> {
  if (!sweeps(v)) return nothing(none);
  const upgrade = upgradeOf(v);
  const deb = v.deb ?? '';
  return read(
    sh`command -v apt-get >/dev/null || exit 0
${upgrade === undefined ? sh`:` : sh`apt-get -s -q ${upgrade} 2>/dev/null | sed -n 's/^Inst \([^ ]*\).*/upgrade \1/p'`}
${v.autoremove ? sh`apt-get -s -q autoremove 2>/dev/null | sed -n 's/^Remv \([^ ]*\).*/autoremove \1/p'` : sh`:`}
${v.autoclean ? sh`apt-get -s -q autoclean 2>/dev/null | sed -n 's/^Del \([^ ]*\).*/autoclean \1/p'` : sh`:`}
${v.clean ? sh`find /var/cache/apt/archives -name '*.deb' -exec echo archive {} \;` : sh`:`}
if [ -f ${deb} ]; then
n=$(dpkg-deb -f ${deb} Package) && v=$(dpkg-deb -f ${deb} Version) || exit 0
i=$(dpkg-query -W -f ${versionFormat} "$n" 2>/dev/null | sed -n 's/^installed.//p')
if [ -n "$i" ] && dpkg --compare-versions "$i" gt "$v"; then newer=newer; else newer=; fi
echo "deb $n $v $i $newer"
fi
:`,
    (reply): Sweep => {
      const lines = stdoutText(reply).split('\n');
      const of = (word: string): string[] =>
        lines.filter((line) => line.startsWith(`${word} `)).map((line) => line.slice(word.length + 1));
      const [name, version, installed = '', newer] = (of('deb')[0] ?? '').split(' ');
      return {
        upgrade: of('upgrade'),
        autoremove: of('autoremove'),
        autoclean: of('autoclean'),
        archives: of('archive').length,
        deb:
          name === undefined || version === undefined
            ? undefined
            : {name, version, installed, newer: newer === 'newer'},
      };
    },
    {
      dependsOn: [
        'package:*',
        'tree:/var/lib/apt',
        'tree:/var/cache/apt',
        ...(deb === '' ? [] : [`file:${deb}` as const]),
      ],
    },
  );
}

/** The commands for what is to be done, each with what it changes. */
export function sweepSteps(
  v: SweepValues,
  now: Sweep,
): readonly {readonly changes: readonly Change[]; readonly argv: [string, ...string[]]}[] {
  if (!sweeps(v)) return [];
  const steps: {changes: readonly Change[]; argv: [string, ...string[]]}[] = [];
  const upgrade = upgradeOf(v);
  if (upgrade !== undefined && isNonEmpty(now.upgrade))
    steps.push({
      changes: now.upgrade.map((name) => ({what: `package ${name}`, before: 'an older version', after: 'upgraded'})),
      argv: withPolicy(v, ['apt-get', upgrade, ...aptOptions(v), ...(v.autoremove ? ['--auto-remove'] : [])]),
    });
  if (
    now.deb !== undefined &&
    v.deb !== undefined &&
    now.deb.version !== now.deb.installed &&
    (v.allow_downgrade || !now.deb.newer)
  ) {
    const before = now.deb.installed === '' ? undefined : now.deb.installed;
    const more = v.allow_downgrade ? ['--allow-downgrades'] : [];
    steps.push({
      changes: [{what: `package ${now.deb.name}`, before, after: now.deb.version}],
      argv: withPolicy(v, ['apt-get', 'install', ...aptOptions(v), ...more, v.deb]),
    });
  }
  if (v.name === undefined && v.autoremove && isNonEmpty(now.autoremove))
    steps.push({
      changes: now.autoremove.map((name) => ({what: `package ${name}`, before: 'needed by nothing', after: undefined})),
      argv: ['apt-get', 'autoremove', ...aptOptions(v), ...(v.purge ? ['--purge'] : [])],
    });
  if (v.autoclean && isNonEmpty(now.autoclean))
    steps.push({
      changes: [{what: 'outdated archives', before: String(now.autoclean.length), after: undefined}],
      argv: ['apt-get', 'autoclean', '-y', '-q'],
    });
  if (v.clean && now.archives > 0)
    steps.push({
      changes: [{what: 'archives', before: String(now.archives), after: undefined}],
      argv: ['apt-get', 'clean', '-y', '-q'],
    });
  return steps;
}

/** Options of every apt-get that installs or removes. */
export function aptOptions(v: SweepValues): readonly string[] {
  const dpkg = v.dpkg_options.split(',').map((option) => option.trim().replace(/^-*/, ''));
  return [
    '-y',
    '-q',
    ...dpkg.filter((option) => option !== '').flatMap((option) => ['-o', `Dpkg::Options::=--${option}`]),
    '-o',
    `DPkg::Lock::Timeout=${v.lock_timeout}`,
  ];
}

/** A command during which policy-rc.d answers for the init scripts, put back afterwards whatever happens. *source*: Debian policy, invoke-rc.d(8). */
export function withPolicy(v: SweepValues, argv: [string, ...string[]]): [string, ...string[]] {
  if (v.policy_rc_d === undefined) return argv;
  const script = `p=/usr/sbin/policy-rc.d; kept=
if [ -e "$p" ] || [ -L "$p" ]; then kept=$(mktemp -d) && mv "$p" "$kept/" || exit 1; fi
trap 'rm -f "$p"; if [ -n "$kept" ]; then mv "$kept/policy-rc.d" "$p"; rmdir "$kept"; fi' EXIT
printf '#!/bin/sh\\nexit %s\\n' "$1" >"$p" && chmod 755 "$p" && shift && "$@"`;
  return ['/bin/sh', '-c', script, 'sh', String(v.policy_rc_d), ...argv];
}
