// How a run tells what happens when it is one of many in the same process: it prints nothing and sets no exit status; who started it listens.
import {randomBytes} from 'node:crypto';
import {performance} from 'node:perf_hooks';
import type {Diagnostic} from '../base/diagnostic.ts';
import type {RunMode} from '../engine/event.ts';
import {AuditCollector, type Audit} from '../report/audit.ts';
import {ExitSigns} from '../report/exit-signs.ts';
import {redactData} from '../secrets/redact-data.ts';
import {Redactor} from '../secrets/redactor.ts';
import type {Reporting} from './reporting.ts';

/** Opens it. `tell` gets the diagnostics. */
export function quietReporting(
  what: {readonly mode: RunMode; readonly playbooks: readonly string[]; readonly now: Date},
  tell: (problem: Diagnostic) => void,
): Reporting {
  const started = what.now.toISOString();
  const id = `${started.replace(/[-:]/g, '').replace(/\..*/, '')}-${randomBytes(3).toString('hex')}`;
  const info = {id, mode: what.mode, playbooks: what.playbooks, started};
  const began = performance.now();
  const redactor = new Redactor();
  const hide = <T>(data: T): T => redactData(redactor, data);
  const signs = new ExitSigns(what.mode, started);
  const audit = new AuditCollector(info, hide);
  const atFinish: ((exit: number, audit: Audit | undefined) => void)[] = [];
  let gathers = false;
  return {
    info,
    form: 'quiet',
    isTerminal: false,
    verbosity: 0,
    redactor,
    hide,
    signs,
    judgeBy: (controls, waivers) => {
      if (controls.length === 0) return;
      gathers = true;
      signs.waivers = waivers;
      audit.expect(controls, waivers);
    },
    tell,
    finish: (exit) => {
      const found = gathers ? audit.audit(exit, performance.now() - began) : undefined;
      for (const work of atFinish.splice(0)) work(exit, found);
    },
    refuseAll: (problems) => problems.forEach(tell),
    breakOff: (error) => tell({severity: 'error', code: 'fault', message: String(error)}),
    emitter: (onEvent) => (event) => {
      onEvent(event);
      if (gathers) audit.on(event);
    },
    atFinish: (work) => void atFinish.push(work),
    writeReports: () => Promise.resolve(),
    say: () => undefined,
    profile: () => undefined,
  };
}
