// One `systemctl show` for all units of a batch. It answers in blocks, in the order asked.
import type {UnitRead, UnitState} from '../kit/reads.ts';
import {checkedReply, chunked, fragmentOf, type CompiledReads} from './read-fragment.ts';
import {singleQuoted} from './script.ts';

const properties =
  'LoadState,ActiveState,SubState,UnitFileState,MainPID,NeedDaemonReload,FragmentPath,ExecMainStartTimestamp,InactiveExitTimestamp';

/** Anything else is no unit's name (systemctl would refuse the whole call, or take it for a pattern). *source*: systemd.unit(5). */
const unitName = /^[A-Za-z0-9:_.\\@-]{1,250}\.[a-z]+$/;

/** Compiles unit reads; their values are {@link UnitState}. *source*: sd_booted(3) for whether systemd runs at all. */
export function compileUnitReads(reads: readonly UnitRead[]): CompiledReads {
  const units = [...new Set(reads.map((read) => read.unit))];
  const chunks = chunked(
    units.filter((unit) => unitName.test(unit)),
    (unit) => unit.length + 3,
  );
  return {
    fragments: chunks.map((chunk) =>
      fragmentOf(
        `[ -d /run/systemd/system ] && command -v systemctl >/dev/null || { echo none; exit 0; }
TZ=UTC SYSTEMD_COLORS=0 systemctl --no-pager show -p ${properties} -- ${chunk.map(singleQuoted).join(' ')}`,
        {label: 'systemctl show', secret: false},
      ),
    ),
    decode: (outcomes, values) => {
      const states = new Map<string, UnitState>();
      for (const [at, chunk] of chunks.entries()) {
        const text = new TextDecoder().decode(checkedReply(outcomes[at], 'systemctl show').stdout);
        const blocks = text.split('\n\n');
        for (const [i, unit] of chunk.entries())
          states.set(unit, text === 'none\n' ? {type: 'none'} : stateOf(blocks[i] ?? ''));
      }
      const systemd = ![...states.values()].some((state) => state.type === 'none');
      for (const read of reads) values.set(read, states.get(read.unit) ?? (systemd ? stateOf('') : {type: 'none'}));
    },
  };
}

function stateOf(block: string): UnitState {
  const fields = new Map<string, string>();
  for (const line of block.split('\n')) {
    const equals = line.indexOf('=');
    if (equals > 0) fields.set(line.slice(0, equals), line.slice(equals + 1));
  }
  const field = (name: string): string => fields.get(name) ?? '';
  return {
    type: 'unit',
    load: field('LoadState') || 'not-found',
    active: field('ActiveState') || 'inactive',
    sub: field('SubState') || 'dead',
    enabled: field('UnitFileState'),
    // A main process may be newer than the unit's start (Restart=), and many units have none.
    startedS: Math.max(secondsOf(field('ExecMainStartTimestamp')), secondsOf(field('InactiveExitTimestamp'))),
    mainPid: Number(field('MainPID') || 0),
    needsReload: field('NeedDaemonReload') === 'yes',
    fragmentPath: field('FragmentPath'),
  };
}

/** `Mon 2025-11-24 03:40:12 UTC` in seconds since the epoch, 0 for none. */
function secondsOf(timestamp: string): number {
  const [date, time] = /(\d{4}-\d\d-\d\d) (\d\d:\d\d:\d\d)/.exec(timestamp)?.slice(1) ?? [];
  return date === undefined || time === undefined ? 0 : Date.parse(`${date}T${time}Z`) / 1000;
}
