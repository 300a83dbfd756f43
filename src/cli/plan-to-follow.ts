import {noteSecrets} from '../engine/note-secrets.ts';
import type {PlannedStep} from '../engine/plan-part.ts';
import type {HostDecisions, Once} from '../engine/plan-recorder.ts';
import type {Redactor} from '../secrets/redactor.ts';
import {unpack} from '../store/plan-codec.ts';
import type {PlanContent} from './plan-content.ts';

/** What a plan decided, unpacked; the redactor learns its secrets. */
export function planToFollow(
  content: PlanContent,
  redactor: Redactor,
): {hosts: ReadonlyMap<string, HostDecisions>; onces: readonly Once[]} {
  const known = (packed: unknown): unknown => {
    const value = unpack(packed, content);
    noteSecrets(redactor, value);
    return value;
  };
  const hosts = new Map(
    Object.entries(content.hosts).map(([host, {steps, evaluations, recalled, ends}]): [string, HostDecisions] => [
      host,
      {
        steps: new Map(steps.map(([place, step]) => [place, known(step) as PlannedStep])),
        evaluations: new Map(evaluations.map(([place, value]) => [place, known(value)])),
        recalled,
        ends: new Map(ends.map(([place, witnesses]) => [place, witnesses.map((one) => one ?? undefined)])),
      },
    ]),
  );
  return {hosts, onces: content.onces};
}
