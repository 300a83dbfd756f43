import {parseNftJson, sameTable, type FirewallRule, type NftRuleset} from '../formats/nft.ts';
import {textOf} from './content.ts';
import type {Key} from './key.ts';
import type {PlainOp, RunOp} from './op.ts';
import type {Change} from './plan.ts';
import {all, map, type Probe} from './probe.ts';
import {file, read, stdoutText, unit, type FileState, type UnitState} from './reads.ts';
import {rawShell} from './shell.ts';

/*
 * Where our nftables rules live. The ruleset of the distribution (/etc/nftables.conf) belongs to the administrator and on Debian includes no
 * folder, so ours are files of their own, loaded by a unit of our own after it and again whenever it, or firewalld (which stops it), is started or reloaded: that flushes everything.
 */

/** The folder of our rule files. */
export const nftFolder = '/etc/tsplay-nft.d';
const unitName = 'tsplay-nft.service';
const unitPath = `/etc/systemd/system/${unitName}`;
const unitText = `# Loads the rules below ${nftFolder}. Written by tsplay.
[Unit]
Description=Firewall rules declared with tsplay
After=nftables.service firewalld.service
Before=network-pre.target
Wants=network-pre.target
StartLimitIntervalSec=0
PartOf=nftables.service
ReloadPropagatedFrom=nftables.service

[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=/bin/sh -c "echo 'include \\"${nftFolder}/*.nft\\"' | nft -f -"
ExecReload=/bin/sh -c "echo 'include \\"${nftFolder}/*.nft\\"' | nft -f -"

[Install]
WantedBy=multi-user.target nftables.service firewalld.service
`;

/** Loads all our files, in one transaction, as the unit does. */
const loadText = `printf 'include "${nftFolder}/*.nft"\\n' | nft -f -`;

/** What the kernel holds and what is loaded at boot. `ruleset` is undefined where it could not be read; then `problem` says why. */
export type NftState = {
  readonly installed: boolean;
  readonly ruleset: NftRuleset | undefined;
  readonly problem: string;
  readonly file: FileState;
  readonly unitFile: FileState;
  readonly unit: UnitState;
};

/** The path of a rule file. */
export function nftFile(name: string): string {
  return `${nftFolder}/${name}.nft`;
}

/** What loading one file alone changes; `firewall:nft` stands for all of them. */
function ruleKey(name: string): Key {
  return `firewall:nft/${name}`;
}

/** Loads one file alone: its rules that the kernel has, known by their comment, go in the same transaction. */
function loadAlone(name: string, table: string, alone: Alone): string {
  const comment = alone.comment.replaceAll('.', '\\.');
  return `set -e
old=$(for c in ${alone.chains.join(' ')}; do
nft -a list chain inet ${table} $c | sed -n "s/.* comment \\"${comment}\\" # handle \\([0-9]*\\)\\$/delete rule inet ${table} $c handle \\1/p"
done)
{ echo "$old"; [ ! -f ${nftFile(name)} ] || cat ${nftFile(name)}; } | nft -f -`;
}

/** Reads the ruleset of the kernel, one of our files, and the unit. */
export function nftProbe(name: string): Probe<NftState> {
  return map(
    all({
      live: read(
        // The name makes it a read of this rule's own, which the loading of another rule leaves as it is.
        rawShell(`# ${name}\ncommand -v nft >/dev/null 2>&1 || exit 127\nnft -j list ruleset`),
        (reply) => {
          const parsed = reply.exit === 0 ? parseNftJson(stdoutText(reply)) : undefined;
          return {
            installed: reply.exit !== 127,
            ruleset: parsed?.ok === true ? parsed.value : undefined,
            problem: new TextDecoder().decode(reply.stderr).trim(),
          };
        },
        {dependsOn: ['firewall:nft', ruleKey(name), 'package:nftables', `unit:${unitName}`, 'unit:nftables.service']},
      ),
      file: file(nftFile(name), {content: 'always'}),
      unitFile: file(unitPath, {content: 'always'}),
      unit: unit(unitName),
    }),
    ({live, ...rest}) => ({...live, ...rest}),
  );
}

/** How rules can be loaded without the others: the chains, which the kernel has, and their comment (letters, digits, blanks, `.:_-`). */
export type Alone = {readonly chains: readonly string[]; readonly comment: string};

/** What has to be written and run, which files a guard restores, and how it loads them again. */
export type NftDiff = {
  readonly changes: readonly Change[];
  readonly ops: readonly PlainOp[];
  readonly restores: readonly string[];
  readonly undo: readonly RunOp[];
  /** no unit can load the rules at boot: a host without systemd */
  readonly volatile: boolean;
};

/**
 * Compares one of our files, and with `live` what the kernel holds of it. `text` undefined: the file shall be gone; then `drop` is the table
 * that has to go with it.
 */
export function nftDiff(
  name: string,
  wanted: {
    readonly text: string | undefined;
    readonly live: boolean;
    /** what the kernel holds in place of it, where it holds anything */
    readonly found?: string | undefined;
    readonly what: string;
    readonly shown: string;
    /** the table that the file makes, where no other file adds to it: it goes with the file */
    readonly drop?: string;
    /** the table that the rules stand in; a guard loads it afresh */
    readonly table: string;
    /** a file that has to be loaded before this one */
    readonly base?: {readonly name: string; readonly text: string; readonly state: FileState};
    /** where the rules can be loaded without the others */
    readonly alone?: Alone | undefined;
  },
  now: NftState,
): NftDiff {
  const changes: Change[] = [];
  const ops: PlainOp[] = [];
  const path = nftFile(name);
  const textOfFile = (state: FileState): string | undefined =>
    state.type === 'file' && state.content !== undefined ? textOf(state.content) : undefined;
  const stored = textOfFile(now.file);
  const systemd = now.unit.type === 'unit';
  const affects = ['firewall:nft', `unit:${unitName}`] as const;
  const load = (alone: Alone | undefined): PlainOp =>
    alone === undefined
      ? {op: 'run', argv: ['/bin/sh', '-c', loadText], affects}
      : {op: 'run', argv: ['/bin/sh', '-c', loadAlone(name, wanted.table, alone)], affects: [ruleKey(name)]};
  if (wanted.text === undefined) {
    if (now.file.type !== 'absent') {
      changes.push({what: `${wanted.what} (at boot)`, before: stored ?? now.file.type, after: undefined});
      ops.push({op: 'remove', path});
    }
    if (wanted.live) {
      changes.push({what: wanted.what, before: wanted.shown, after: undefined});
      ops.push(
        wanted.drop === undefined
          ? load(wanted.alone)
          : {op: 'run', argv: ['nft', 'delete', 'table', 'inet', wanted.drop], affects},
      );
    }
  } else {
    if (stored !== wanted.text) {
      changes.push({what: `${wanted.what} (at boot)`, before: stored, after: wanted.text});
      ops.push({op: 'mkdir', path: nftFolder, mode: '0755', parents: true});
      ops.push({op: 'write', path, content: wanted.text, mode: '0644', owner: 'root', group: 'root'});
    }
    const base = wanted.base;
    const baseStale = base !== undefined && textOfFile(base.state) !== base.text;
    if (baseStale) {
      changes.push({what: nftFile(base.name), before: textOfFile(base.state), after: base.text});
      if (stored === wanted.text) ops.push({op: 'mkdir', path: nftFolder, mode: '0755', parents: true});
      ops.push({
        op: 'write',
        path: nftFile(base.name),
        content: base.text,
        mode: '0644',
        owner: 'root',
        group: 'root',
      });
    }
    const unitStale = systemd && textOfFile(now.unitFile) !== unitText;
    if (unitStale) {
      changes.push({what: unitPath, before: textOfFile(now.unitFile), after: unitText});
      ops.push({op: 'write', path: unitPath, content: unitText, mode: '0644', owner: 'root', group: 'root'});
    }
    const disabled = now.unit.type === 'unit' && now.unit.enabled !== 'enabled';
    const inactive = now.unit.type === 'unit' && now.unit.active !== 'active';
    if (disabled) changes.push({what: `${unitName} at boot`, before: enabledText(now.unit), after: 'enabled'});
    if (inactive) changes.push({what: unitName, before: activeText(now.unit), after: 'active'});
    if (!wanted.live) changes.push({what: wanted.what, before: wanted.found, after: wanted.shown});
    if (changes.length > 0) {
      if (systemd && (unitStale || disabled))
        ops.push({
          op: 'run',
          argv: ['/bin/sh', '-c', `systemctl daemon-reload && systemctl enable ${unitName}`],
          affects,
        });
      ops.push(
        unitStale || inactive
          ? {op: 'run', argv: ['systemctl', 'restart', unitName], affects}
          : load(baseStale ? undefined : wanted.alone),
      );
    }
  }
  return {
    changes,
    ops,
    restores: ops.length === 0 ? [] : [path, unitPath],
    undo:
      ops.length === 0
        ? []
        : [
            {
              op: 'run',
              argv: [
                '/bin/sh',
                '-c',
                `nft delete table inet ${wanted.table} 2>/dev/null
${loadText}
[ -d /run/systemd/system ] || exit 0
[ -f ${unitPath} ] || rm -f /etc/systemd/system/*.wants/${unitName}
systemctl daemon-reload`,
              ],
            },
          ],
    volatile: wanted.text !== undefined && !systemd,
  };
}

function enabledText(state: UnitState): string | undefined {
  return state.type === 'unit' && state.enabled !== '' ? state.enabled : undefined;
}

function activeText(state: UnitState): string | undefined {
  return state.type === 'unit' && state.load === 'loaded' ? state.active : undefined;
}

/** Whether the kernel holds a table with exactly these rules; false where the ruleset could not be read. */
export function nftHolds(now: NftState, table: string, rules: readonly FirewallRule[]): boolean {
  return now.ruleset !== undefined && sameTable(now.ruleset, table, rules);
}

/** Whether the kernel has the table at all. */
export function nftHasTable(now: NftState, table: string): boolean {
  return now.ruleset?.tables.some((one) => one.family === 'inet' && one.name === table) === true;
}
