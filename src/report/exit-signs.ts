import type {RunEvent, RunMode} from '../engine/event.ts';
import {controlOf, verdictOf} from './judgement.ts';
import {isExpired, waiverFor, type Waiver} from './waiver.ts';

/**
 * What results say for the exit status, beyond the counts of hosts: what is waived does not count in check, and what a control could not judge counts as
 * a failure though the task's `ignore_errors` lets the host go on.
 */
export class ExitSigns {
  /** hosts with a finding of severity error */
  readonly errorFindings = new Set<string>();
  /** hosts that are not as declared */
  readonly differing = new Set<string>();
  /** hosts with a control that could not be judged */
  readonly unjudged = new Set<string>();
  /** waivers that hold while the run lasts; set when the site has been read */
  waivers: readonly Waiver[] = [];
  readonly #mode: RunMode;
  readonly #started: string;

  constructor(mode: RunMode, started: string) {
    this.#mode = mode;
    this.#started = started;
  }

  on(event: RunEvent): void {
    if (event.event !== 'task-finished') return;
    const {result} = event;
    const {host, status} = result;
    const finding = status !== 'refused' && result.findings.some((f) => (f.severity ?? 'error') === 'error');
    if (this.#mode === 'run' || this.#mode === 'apply') {
      if (finding) this.errorFindings.add(host);
      return;
    }
    const control = controlOf(result.control);
    const verdict = verdictOf(result, this.#mode);
    const waiver = control === undefined ? undefined : waiverFor(this.waivers, host, control.id);
    if (verdict === 'fail' && waiver !== undefined && !isExpired(waiver, this.#started)) return;
    if (finding) this.errorFindings.add(host);
    if (status === 'changed') this.differing.add(host);
    if (status !== 'ignored' || control === undefined) return;
    if (verdict === 'fail') this.differing.add(host);
    else this.unjudged.add(host);
  }
}
