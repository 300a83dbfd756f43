// Units as they stood before a run: enabled or not, masked or not, running or not; and what runs is started anew where its files were put back.
import type {Change} from '../kit/plan.ts';
import {unitBackupOf} from '../remote/backup.ts';
import type {UnitBefore} from '../remote/rollback.ts';
import {singleQuoted} from '../remote/script.ts';
import type {Fragment} from '../remote/session.ts';

/** A unit that has to be set, with what it shows and the words for systemctl. */
export type UnitToSet = {readonly unit: string; readonly change: Change; readonly verbs: readonly string[]};

const running = new Set(['active', 'activating', 'reloading']);

/** Asks how a unit stands: `ENABLED ACTIVE`. */
export function unitLook(unit: string): Fragment {
  const name = singleQuoted(unit);
  return plain(
    `e=$(systemctl is-enabled -- ${name} 2>/dev/null); a=$(systemctl is-active -- ${name} 2>/dev/null); echo "\${e:-none} \${a:-unknown}"`,
    `looking at ${unit}`,
    'go-on',
  );
}

/** What is to be done with units that do not stand as before. `filesChange`: files are put back, so what ran then shall read them. */
export function unitsToSet(
  before: readonly UnitBefore[],
  now: readonly UnitBefore[],
  filesChange: boolean,
): readonly UnitToSet[] {
  return before.flatMap((was, i): UnitToSet[] => {
    const is = now[i]!;
    const verbs: string[] = [];
    if (was.enabled !== is.enabled) {
      if (is.enabled === 'masked') verbs.push('unmask');
      if (was.enabled === 'enabled') verbs.push('enable');
      else if (was.enabled === 'disabled' && is.enabled !== 'masked') verbs.push('disable');
      else if (was.enabled === 'masked') verbs.push('mask');
    }
    const [ran, runs] = [running.has(was.active), running.has(is.active)];
    if (ran && runs && filesChange) verbs.push('restart');
    else if (ran && !runs) verbs.push('start');
    else if (!ran && runs) verbs.push('stop');
    if (verbs.length === 0) return [];
    const words = ({enabled, active}: UnitBefore): string => `${enabled}, ${active}`;
    const change =
      words(was) === words(is)
        ? {what: 'state', before: is.active, after: 'started anew'}
        : {what: 'state', before: words(is), after: words(was)};
    return [{unit: was.unit, change, verbs}];
  });
}

/** Runs systemctl, behind the files; it reads its own files anew first where some of them were put back. */
export function unitFragments(
  units: readonly UnitToSet[],
  paths: readonly string[],
  onFailure: Fragment['onFailure'],
): readonly {readonly unit: string; readonly fragment: Fragment}[] {
  const reload = paths.some((path) => /^\/(etc|usr\/lib|lib|run)\/systemd\//.test(path))
    ? [
        {
          unit: 'systemd',
          fragment: plain(
            '[ ! -d /run/systemd/system ] || systemctl daemon-reload',
            'systemctl daemon-reload',
            onFailure,
          ),
        },
      ]
    : [];
  return [
    ...reload,
    ...units.flatMap(({unit, verbs}) =>
      verbs.map((verb) => ({
        unit,
        fragment: plain(`systemctl ${verb} -- ${singleQuoted(unit)}`, `systemctl ${verb} ${unit}`, onFailure),
      })),
    ),
  ];
}

/** Notes how units stand now, so that this can be put back in its turn. */
export function notingUnits(units: readonly string[], directory: string): Fragment {
  return plain(unitBackupOf(units, directory), 'noting how units stand', 'go-on');
}

function plain(shell: string, label: string, onFailure: Fragment['onFailure']): Fragment {
  return {shell, group: 1, onFailure, label, secret: false, timeoutMs: 120_000};
}
