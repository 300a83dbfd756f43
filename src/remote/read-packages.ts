// One query of the package database for all packages of a batch, by whichever the host has. dpkg's alone does not know what could be
// installed: one `apt-cache` call for all names adds that.
import type {PackageRead, PackageState} from '../kit/reads.ts';
import {checkedReply, chunked, fragmentOf, type CompiledReads} from './read-fragment.ts';
import {singleQuoted} from './script.ts';

/** Names that cannot be patterns or options. *source*: deb-control(5), and rpm's and apk's wider sets. */
const packageName = /^[A-Za-z0-9_+][A-Za-z0-9_.+:~^-]*$/;

const absent: PackageState = {installed: false, version: '', candidate: '', held: false};

/** Compiles package reads; their values are {@link PackageState}. */
export function compilePackageReads(reads: readonly PackageRead[]): CompiledReads {
  const names = [...new Set(reads.map((read) => read.name))].filter((name) => packageName.test(name));
  const chunks = chunked(names, (name) => name.length + 3);
  return {
    fragments: chunks.map((chunk) => fragmentOf(script(chunk), {label: 'querying packages', secret: false})),
    decode: (outcomes, values) => {
      const states = new Map<string, PackageState>();
      for (const [at, chunk] of chunks.entries()) {
        const text = new TextDecoder().decode(checkedReply(outcomes[at], 'querying packages').stdout);
        const newline = text.indexOf('\n');
        const decodeOne = decoders[text.slice(0, newline)] ?? (() => absent);
        const body = text.slice(newline + 1);
        for (const name of chunk) states.set(name, decodeOne(name, body));
      }
      for (const read of reads) values.set(read, states.get(read.name) ?? absent);
    },
  };
}

/**
 * What apt would install. apt-cache writes a stale cache of its own anew; so that a look changes nothing, it then makes one in memory.
 * *source*: apt.conf(5), `Dir::Cache`.
 */
const policyOfApt = `if command -v apt-cache >/dev/null; then
c=/var/cache/apt/pkgcache.bin; fresh=
[ -e "$c" ] && [ -z "$(find /var/lib/apt/lists /var/lib/dpkg/status /etc/apt -newer "$c" 2>/dev/null | head -n 1)" ] && fresh=1
if [ -n "$fresh" ]; then set -- -q policy -- "$@"; else set -- -o Dir::Cache::pkgcache= -o Dir::Cache::srcpkgcache= -q policy -- "$@"; fi
apt-cache "$@" 2>/dev/null
fi`;

function script(names: readonly string[]): string {
  const words = names.map(singleQuoted).join(' ');
  return `set -- ${words}
if [ -e /var/lib/dpkg/status ] && command -v dpkg-query >/dev/null; then
echo dpkg
dpkg-query -W -f '\${Package} \${Architecture} \${db:Status-Abbrev}|\${Version}\\n' -- "$@" 2>/dev/null
echo ==
${policyOfApt}
elif [ -e /lib/apk/db/installed ] && command -v apk >/dev/null; then
echo apk
apk policy "$@" 2>/dev/null
echo ==
cat /etc/apk/world
elif command -v rpm >/dev/null; then
echo rpm
rpm -q --qf '%{NAME} %{ARCH} %{EPOCHNUM}:%{VERSION}-%{RELEASE}\\n' -- "$@" 2>/dev/null
echo ==
[ ! -r /etc/zypp/locks ] || cat /etc/zypp/locks
else echo none; fi
:`;
}

type Decoder = (name: string, body: string) => PackageState;

const decoders: Readonly<Record<string, Decoder>> = {dpkg: fromDpkg, rpm: fromRpm, apk: fromApk};

/** *source*: dpkg-query(1): wanted state (`h` = held), then actual (`i` = installed; `c` = only configuration files left). */
function fromDpkg(name: string, body: string): PackageState {
  const [rows = '', policy = ''] = cut(body);
  const [bare = '', arch] = name.split(':');
  const mine = rows
    .split('\n')
    .map((row) => /^(\S+) (\S+) (.)(.).?\|(.*)$/.exec(row))
    .filter((row) => row !== null)
    .filter((row) => row[1] === bare && (arch === undefined || row[2] === arch));
  // t and W: unpacked and configured, with triggers still to run
  const row = mine.find((candidate) => 'itW'.includes(candidate[4]!));
  const candidate =
    new RegExp(`^${escaped(name)}(?::\\S+)?:\\n(?:  .*\\n)*?  Candidate: (\\S+)`, 'm').exec(policy)?.[1] ?? '';
  return {
    installed: row !== undefined,
    version: row?.[5] ?? '',
    candidate: candidate === '(none)' ? '' : candidate,
    held: mine.some((one) => one[3] === 'h'),
  };
}

/** The epoch is part of the version only where there is one. *source*: rpm(8). Locks: zypp's `solvable_name:` blocks. */
function fromRpm(name: string, body: string): PackageState {
  const [rows = '', locks = ''] = cut(body);
  const row = rows
    .split('\n')
    .map((line) => line.split(' '))
    .findLast(
      ([found, arch, version]) => version !== undefined && (found === name || `${found ?? ''}.${arch ?? ''}` === name),
    );
  return {
    installed: row !== undefined,
    version: row?.[2]?.replace(/^0:/, '') ?? '',
    candidate: '',
    held: new RegExp(`^solvable_name:\\s*${escaped(name)}\\s*$`, 'm').test(locks),
  };
}

/** `apk policy` lists each known version with its sources; the database of what is installed is one of them. A pinned package stands as `name=version` in world. */
function fromApk(name: string, body: string): PackageState {
  const [policy = '', world = ''] = cut(body);
  const lines = policy.split('\n');
  const start = lines.indexOf(`${name} policy:`);
  let version = '';
  let installed = '';
  const offered: string[] = [];
  for (const line of start < 0 ? [] : lines.slice(start + 1)) {
    if (!line.startsWith('  ')) break;
    const found = /^ {2}(\S+):$/.exec(line)?.[1];
    if (found !== undefined) version = found;
    else if (line.trim() === 'lib/apk/db/installed') installed = version;
    else offered.push(version);
  }
  return {
    installed: installed !== '',
    version: installed,
    candidate: offered.sort(byVersion).at(-1) ?? '',
    held: new RegExp(`^${escaped(name)}=`, 'm').test(world),
  };
}

/** Numbers as numbers, the rest as text: enough to order the builds of one package. */
function byVersion(a: string, b: string): number {
  return a.localeCompare(b, 'en', {numeric: true});
}

function cut(body: string): readonly string[] {
  return body.split(/^==\n/m);
}

function escaped(name: string): string {
  return name.replaceAll(/[.+^$]/g, '\\$&');
}
