// What a host shows of the systems that policy is about, in one read: guests and their consoles, logins, credentials, tunnel accounts, certificates, encrypted
// volumes. What is not there is left out; nothing that is missing is a failure.
import {parseQemuConf, qemuValue} from '../formats/qemu-conf.ts';
import {parseDomain, type SpiceGraphics} from '../formats/libvirt-xml.ts';
import {sectionsOf} from './device-probe.ts';
import {spiceSettings, staleReasons, type GuestState, type SpiceSettings} from './libvirt.ts';
import type {Probe} from './probe.ts';
import {read, stdoutText, type Reply} from './reads.ts';
import {quote, rawShell} from './shell.ts';

/** A guest: its console, and why it is not what it would be after a power-cycle. */
export type AuditedGuest = {
  readonly name: string;
  readonly console: SpiceGraphics | undefined;
  readonly running: boolean;
  readonly stale: readonly string[];
};

/** A file that holds credentials. */
export type CredentialFile = {
  readonly path: string;
  readonly mode: number;
  readonly owner: string;
  readonly group: string;
};

/** An account with keys that may log in with it. `shell` as in passwd(5). */
export type AccountKeys = {
  readonly name: string;
  readonly shell: string;
  readonly path: string;
  readonly lines: readonly string[];
};

export type HostAudit = {
  /** why libvirt's guests cannot be told, '' = they can, or there is no libvirt */
  readonly problem: string;
  readonly libvirt: boolean;
  readonly guests: readonly AuditedGuest[];
  readonly settings: SpiceSettings;
  /** consoles without a password of their own ask for one of qemu.conf */
  readonly commonPassword: boolean;
  readonly hasSaslConf: boolean;
  readonly credentials: readonly CredentialFile[];
  /** groups of QEMU's account with their members, the account itself left out */
  readonly groups: readonly {readonly name: string; readonly account: string; readonly others: readonly string[]}[];
  readonly accounts: readonly AccountKeys[];
  readonly certificates: readonly {readonly path: string; readonly pem: string}[];
  /** block devices with a LUKS header */
  readonly encrypted: readonly {readonly device: string; readonly uuid: string}[];
  /** UUIDs of the LUKS headers that lie in files */
  readonly backups: readonly string[];
  /** false: block devices and other people's files cannot be read */
  readonly root: boolean;
};

const script = String.raw`sec() { printf '\001%s\n' "$1"; }
v() { virsh -q -c qemu:///system "$@"; }
pw() { getent passwd 2>/dev/null || cat /etc/passwd; }
[ "$(id -u)" = 0 ] && sec root
if command -v virsh >/dev/null 2>&1; then
sec libvirt
names=$(v list --all --name 2>&1) || { sec problem; printf '%s\n' "$names"; names=; }
printf '%s\n' "$names" | while IFS= read -r one; do [ -n "$one" ] || continue
sec "xml $one"; v dumpxml --inactive --security-info "$one" 2>/dev/null
pidfile=/run/libvirt/qemu/$one.pid
case $(v domstate "$one" 2>/dev/null) in 'shut off'|crashed|'') ;; *)
sec "live $one"; v dumpxml --security-info "$one" 2>/dev/null
if [ -r "$pidfile" ]; then sec "started $one"; stat -c %Y "$pidfile"; pid=; read -r pid <"$pidfile" || :
sec "gids $one"; u=$(stat -c %U "/proc/$pid" 2>/dev/null); have=" $(sed -n 's/^Gid:\|^Groups://p' "/proc/$pid/status" 2>/dev/null | tr '\t\n' '  ') "
for g in $(id -G "$u" 2>/dev/null); do case $have in *" $g "*) ;; *) echo "$g" ;; esac; done; fi ;; esac
done
sec settings; stat -c '%Y %n' /etc/libvirt/qemu.conf /etc/sasl2/qemu.conf /etc/pki/libvirt-spice/*.pem 2>/dev/null
fi
sec qemuconf; cat /etc/libvirt/qemu.conf 2>/dev/null
[ -r /etc/sasl2/qemu.conf ] && { sec saslconf; cat /etc/sasl2/qemu.conf; }
certs=$(sed -n 's/^[[:space:]]*spice_tls_x509_cert_dir[[:space:]]*=[[:space:]]*"\([^"]*\)".*/\1/p' /etc/libvirt/qemu.conf 2>/dev/null | tail -n 1)
certs=${'${certs:-/etc/pki/libvirt-spice}'}
db=$(sed -n 's/^[[:space:]]*sasldb_path[[:space:]]*:[[:space:]]*//p' /etc/sasl2/qemu.conf 2>/dev/null | tail -n 1)
sec credentials
for f in "$certs"/*-key.pem /etc/pki/qemu/*-key.pem ${'${db:+"$db" "$db.dir" "$db.pag" "$db.db"}'} /etc/sasldb2 /var/spice/sasl/*; do
[ -f "$f" ] && stat -c '%a %U %G %n' "$f"; done 2>/dev/null
grep -q '^[[:space:]]*[a-z]*_password[[:space:]]*=[[:space:]]*"[^"]' /etc/libvirt/qemu.conf 2>/dev/null && stat -c '%a %U %G %n' /etc/libvirt/qemu.conf
sec groups
for u in libvirt-qemu qemu; do
id -u "$u" >/dev/null 2>&1 || continue
for g in libvirt-qemu qemu; do
line=$(getent group "$g") || continue
gid=${'${line#*:*:}'}; gid=${'${gid%%:*}'}
printf '%s %s %s %s\n' "$u" "$g" "$(pw | while IFS=: read -r n _ _ p _; do [ "$p" = "$gid" ] && printf '%s,' "$n"; done)" "${'${line##*:}'}"
done; done
pw | while IFS=: read -r n _ _ _ _ home shell; do
f=$home/.ssh/authorized_keys; [ -f "$f" ] && [ -r "$f" ] || continue
sec "keys $n $shell $f"; cat "$f"; done
for f in "$certs"/server-cert.pem "$certs"/ca-cert.pem; do [ -r "$f" ] && { sec "cert $f"; cat "$f"; }; done
luks() { [ "$(dd if="$1" bs=4 count=1 2>/dev/null | tr -d '\000')" = LUKS ] && dd if="$1" bs=1 skip=168 count=40 2>/dev/null | tr -d '\000'; }
sec luks
for b in /sys/class/block/*; do n=${'${b##*/}'}
case $n in ram*|zram*|sr*|fd*) continue ;; loop*) [ -e "$b/loop" ] || continue ;; esac
[ -r "/dev/$n" ] && u=$(luks "/dev/$n") && [ -n "$u" ] || continue
d=/dev/$n; [ -r "$b/dm/name" ] && d=/dev/mapper/$(cat "$b/dm/name")
printf '%s %s\n' "$u" "$d"; done
`;

/** Reads it. `backups`: folders in which copies of LUKS headers are looked for, down to one folder below them. */
export function auditHost(backups: readonly string[]): Probe<HostAudit> {
  const folders = backups.map((folder) => quote(folder)).join(' ');
  const copies = `sec backups
for d in ${folders === '' ? "''" : folders}; do for f in "$d"/* "$d"/*/*; do [ -f "$f" ] && [ -r "$f" ] && u=$(luks "$f") && [ -n "$u" ] && printf '%s\\n' "$u"; done; done 2>/dev/null
:`;
  return read(rawShell(script + copies), parseAudit, {
    dependsOn: [
      'domain:*',
      'unit:*',
      'device:*',
      'account:*',
      'group:*',
      'tree:/etc/libvirt',
      'tree:/etc/sasl2',
      'tree:/etc/pki',
      'tree:/var/spice',
      'tree:/home',
      'tree:/root',
      'package:libvirt-daemon-system',
      'package:libvirt-clients',
      ...backups.map((folder) => `tree:${folder}` as const),
    ],
    secret: true,
  });
}

/** *shape*: sections of `deviceShell`, named as in the script. */
export function parseAudit(reply: Reply): HostAudit {
  const sections = sectionsOf(stdoutText(reply));
  const lines = (name: string): readonly string[] =>
    (sections.get(name) ?? '').split('\n').filter((line) => line.trim() !== '');
  const named = (kind: string): readonly (readonly [string, string])[] =>
    [...sections].flatMap(([key, text]): [string, string][] =>
      key.startsWith(`${kind} `) ? [[key.slice(kind.length + 1), text]] : [],
    );
  const qemuConf = sections.get('qemuconf') ?? '';
  const saslConf = sections.get('saslconf') ?? '';
  const settings = lines('settings').map((line) => ({
    path: line.replace(/^\d+ /, ''),
    mtimeS: Number(line.split(' ')[0]) || 0,
  }));
  const nothing = {virsh: true, problem: '', names: [], autostart: false, persistent: true, validator: false} as const;
  return {
    problem: (sections.get('problem') ?? '').trim(),
    libvirt: sections.has('libvirt'),
    guests: named('xml').map(([name, xml]) => {
      const live = sections.get(`live ${name}`);
      const state: GuestState = {
        ...nothing,
        xml,
        live,
        state: live === undefined ? 'shut off' : 'running',
        startedS: Number(sections.get(`started ${name}`)) || 0,
        settings,
        missingGids: lines(`gids ${name}`),
        qemuConf,
        saslConf,
        others: new Map(),
        encrypted: [],
      };
      const domain = parseDomain(xml);
      return {
        name,
        console: domain.ok ? domain.value.spice : undefined,
        running: live !== undefined,
        stale: staleReasons(state),
      };
    }),
    settings: spiceSettings({qemuConf, saslConf}),
    commonPassword: hasCommonPassword(qemuConf),
    hasSaslConf: sections.has('saslconf'),
    credentials: [...new Set(lines('credentials'))].flatMap((line) => {
      const [, mode, owner, group, path] = /^(\d+) (\S+) (\S+) (.*)$/.exec(line) ?? [];
      return mode === undefined || owner === undefined || group === undefined || path === undefined
        ? []
        : [{path, mode: parseInt(mode, 8), owner, group}];
    }),
    groups: lines('groups').flatMap((line) => {
      const [account = '', name = '', ...members] = line.split(' ');
      const others = members.flatMap((part) => part.split(',')).filter((one) => one !== '' && one !== account);
      return name === '' ? [] : [{name, account, others: [...new Set(others)]}];
    }),
    accounts: named('keys').map(([head, text]) => {
      const [name = '', shell = '', ...path] = head.split(' ');
      return {name, shell, path: path.join(' '), lines: text.split('\n')};
    }),
    certificates: named('cert').map(([path, pem]) => ({path, pem})),
    encrypted: lines('luks').map((line) => ({
      uuid: line.split(' ')[0] ?? '',
      device: line.split(' ').slice(1).join(' '),
    })),
    backups: lines('backups'),
    root: sections.has('root'),
  };
}

/** Whether a console can be reached from other machines. */
export function isReachable(console: SpiceGraphics, settings: SpiceSettings): boolean {
  if (console.port === 'none' && console.tlsPort === 'none') return false;
  if (console.listen.kind === 'network') return true;
  const address = console.listen.kind === 'address' ? (console.listen.address ?? settings.listen) : undefined;
  return address !== undefined && !/^(?:127\.|::1$|localhost$)/.test(address);
}

function hasCommonPassword(qemuConf: string): boolean {
  const value = qemuValue(parseQemuConf(qemuConf), 'spice_password');
  return typeof value === 'string' && value !== '';
}
