import {placeOf, type Diagnostic} from '../base/diagnostic.ts';
import type {HostSummary, RunEvent, RunInfo, RunOutcome, TaskResult} from '../engine/event.ts';
import {diffOf} from './changes.ts';
import {
  controlOf,
  judges,
  together,
  verdictOf,
  verdictWithoutResult,
  type Control,
  type JudgementVerdict,
} from './judgement.ts';
import type {Hide} from './json.ts';
import {isExpired, waiverFor, type Waiver} from './waiver.ts';

/** What hosts are judged by: a control, or a task that belongs to none. `at` is `file:line:column` of the first task. */
export type Rule = {
  readonly id: string;
  readonly title: string;
  readonly at: string;
  readonly control: Control | undefined;
};

/** What a run saw of one task on one host: raw text of hosts, secrets hidden. */
export type Evidence = {
  readonly task: string;
  readonly module: string;
  readonly at: string;
  readonly status: TaskResult['status'];
  readonly verdict: JudgementVerdict;
  /** element of a loop */
  readonly item: string | undefined;
  readonly message: string | undefined;
  readonly help: string | undefined;
  readonly findings: readonly {
    code: string;
    severity: 'error' | 'warning';
    message: string;
    help: string | undefined;
  }[];
  readonly diff: string;
  /** the failing command's words */
  readonly stderr: string | undefined;
  readonly durationMs: number;
};

/** One host under one rule. Without evidence the host was not reached, or the run ended before the task. */
export type Judgement = {
  readonly host: string;
  readonly rule: Rule;
  readonly verdict: JudgementVerdict;
  readonly evidence: readonly Evidence[];
  /** somebody answers for this host under this control, or did until it expired; it changes nothing but a `fail` */
  readonly waiver: (Waiver & {readonly expired: boolean}) | undefined;
};

/** A control as the playbooks declare it, with its hosts, whether they can be reached or not. */
export type ExpectedControl = {
  readonly id: string;
  readonly fields: Readonly<Record<string, unknown>>;
  readonly at: string;
  readonly hosts: readonly string[];
};

/** A mistake or a complaint that belongs to no task. */
export type AuditProblem = {
  readonly severity: 'error' | 'warning';
  readonly code: string;
  readonly message: string;
  readonly at: string | undefined;
  readonly help: string | undefined;
};

/** Everything that a report says, whatever its form. `judgements` has one entry per rule and host, rules in the order of the playbook. */
export type Audit = {
  readonly run: RunOutcome['run'];
  /** false: broken off, or never begun */
  readonly complete: boolean;
  readonly hosts: Readonly<Record<string, HostSummary>>;
  readonly rules: readonly Rule[];
  readonly judgements: readonly Judgement[];
  readonly waivers: readonly Waiver[];
  readonly problems: readonly AuditProblem[];
};

/** The share of judgements that passed. Controls count where there are any; what is not applicable does not count. */
export type Score = {
  readonly passed: number;
  readonly judged: number;
  /** of controls, or of tasks because there are no controls */
  readonly of: 'controls' | 'tasks';
};

type RuleState = {
  rule: Rule;
  readonly plays: Set<string>;
  /** hosts of a declared control */
  readonly hosts: Set<string>;
  readonly evidence: Map<string, Evidence[]>;
};

/** Collects a run's events into what reports say. */
export class AuditCollector {
  readonly #info: RunInfo;
  readonly #hide: Hide;
  readonly #rules = new Map<string, RuleState>();
  readonly #playHosts = new Map<string, Set<string>>();
  readonly #problems: AuditProblem[] = [];
  #waivers: readonly Waiver[] = [];
  #outcome: RunOutcome | undefined;

  /** `hide` takes known secrets out of texts. */
  constructor(info: RunInfo, hide: Hide) {
    this.#info = info;
    this.#hide = hide;
  }

  /** What is known before the first connection: controls with their hosts, and who answers for what. */
  expect(controls: readonly ExpectedControl[], waivers: readonly Waiver[]): void {
    this.#waivers = waivers;
    for (const {id, fields, at, hosts} of controls) {
      const control = controlOf({...fields, id});
      if (control === undefined) continue;
      const rule = {id, title: control.title ?? id, at, control};
      this.#rules.set(`control ${id}`, {rule, plays: new Set(), hosts: new Set(hosts), evidence: new Map()});
    }
  }

  on(event: RunEvent): void {
    switch (event.event) {
      case 'play-started': {
        const hosts = this.#playHosts.get(event.play) ?? new Set();
        for (const host of event.hosts) hosts.add(host);
        this.#playHosts.set(event.play, hosts);
        return;
      }
      case 'task-finished':
        this.#take(event.result);
        return;
      case 'problem':
        this.problem(event.diagnostic, event.at);
        return;
      case 'run-finished':
        this.#outcome = event.outcome;
        return;
      default:
        return;
    }
  }

  problem(diagnostic: Diagnostic, at?: string): void {
    this.#problems.push({
      severity: diagnostic.severity,
      code: diagnostic.code,
      message: this.#hide(diagnostic.message),
      at: diagnostic.span === undefined ? at : placeOf(diagnostic.span),
      help: diagnostic.help === undefined ? undefined : this.#hide(diagnostic.help),
    });
  }

  /** What is known now. `exit` and `durationMs` for runs that were broken off or never began. */
  audit(exit: number, durationMs: number): Audit {
    const hosts = this.#hide(this.#outcome?.hosts ?? {});
    const unreachable = Object.keys(hosts).filter((host) => hosts[host]?.status === 'unreachable');
    const reachable = {
      id: 'reachable',
      title: 'The host can be reached',
      at: `${this.#info.playbooks[0] ?? 'playbook'}:1:1`,
      control: undefined,
    };
    const states = [...this.#rules.values()];
    const hasControls = states.some(({rule}) => rule.control !== undefined);
    const ruled = states
      .map((state) => [state, this.#judge(state, hosts)] as const)
      // beside controls, tasks without one are told of only where something is wrong with them
      .filter(([{rule}, judged]) => !hasControls || rule.control !== undefined || judged.some(isWorthTelling));
    return {
      run: {...(this.#outcome?.run ?? {...this.#info, durationMs: Math.round(durationMs)}), exit},
      complete: this.#outcome !== undefined,
      hosts,
      rules: [...(unreachable.length > 0 ? [reachable] : []), ...ruled.map(([state]) => state.rule)],
      judgements: [
        ...unreachable.map((host) => ({
          host,
          rule: reachable,
          verdict: 'error' as const,
          evidence: [],
          waiver: undefined,
        })),
        ...ruled.flatMap(([, judged]) => judged),
      ],
      waivers: this.#hide(this.#waivers),
      problems: this.#problems,
    };
  }

  #take(result: TaskResult): void {
    const control = controlOf(this.#hide(result.control));
    if (!judges(result)) return;
    const key = control === undefined ? `at ${result.at}` : `control ${control.id}`;
    let state = this.#rules.get(key);
    if (state === undefined) {
      const task = this.#hide(result.task);
      const rule = {id: control?.id ?? task, title: control?.title ?? task, at: result.at, control};
      state = {rule, plays: new Set(), hosts: new Set(), evidence: new Map()};
      this.#rules.set(key, state);
    } else if (control?.title !== undefined && state.rule.control?.title === undefined) {
      // the title is a template, or another task under the same control says it
      state.rule = {...state.rule, title: control.title, control};
    }
    state.plays.add(result.play);
    const list = state.evidence.get(result.host) ?? [];
    list.push(this.#evidence(result));
    state.evidence.set(result.host, list);
  }

  #evidence(result: TaskResult): Evidence {
    const hide = this.#hide;
    return {
      task: hide(result.task),
      module: result.module,
      at: result.at,
      status: result.status,
      verdict: verdictOf(result, this.#info.mode),
      item: result.item === null || result.item === undefined ? undefined : hide(itemText(result.item)),
      message: result.message === undefined ? undefined : hide(result.message),
      help: result.help === undefined ? undefined : hide(result.help),
      findings: result.findings.map((f) => ({
        code: f.code,
        severity: f.severity ?? 'error',
        message: hide(f.message),
        help: f.help === undefined ? undefined : hide(f.help),
      })),
      diff: hide(diffOf(result.changes)),
      stderr: result.command === undefined ? undefined : hide(result.command.stderr),
      durationMs: result.durationMs,
    };
  }

  #judge(state: RuleState, summaries: Readonly<Record<string, HostSummary>>): readonly Judgement[] {
    const ofPlays =
      state.hosts.size > 0 ? [] : [...state.plays].flatMap((play) => [...(this.#playHosts.get(play) ?? [])]);
    const names = new Set([...state.hosts, ...ofPlays, ...state.evidence.keys()]);
    return [...names].map((host) => {
      const evidence = state.evidence.get(host) ?? [];
      const verdict =
        evidence.length === 0 ? verdictWithoutResult(summaries[host]) : together(evidence.map((e) => e.verdict));
      const found = this.#judgesWaivers() ? waiverFor(this.#waivers, host, state.rule.id) : undefined;
      const waiver =
        found === undefined || state.rule.control === undefined
          ? undefined
          : this.#hide({...found, expired: isExpired(found, this.#info.started)});
      const waived = verdict === 'fail' && waiver?.expired === false;
      return {host, rule: state.rule, verdict: waived ? 'waived' : verdict, evidence, waiver};
    });
  }

  /** A waiver is about what a check finds; a run converges what it can and says what it cannot. */
  #judgesWaivers(): boolean {
    return this.#info.mode === 'check' || this.#info.mode === 'plan';
  }
}

/** Something was found, and it is no pass. */
function isWorthTelling({verdict, evidence}: Judgement): boolean {
  return evidence.length > 0 && verdict !== 'pass' && verdict !== 'not-applicable';
}

/** The score of an audit. */
export function scoreOf({judgements}: Audit): Score {
  const controls = judgements.filter((j) => j.rule.control !== undefined);
  const counted = (controls.length > 0 ? controls : judgements).filter((j) => j.verdict !== 'not-applicable');
  return {
    passed: counted.filter((j) => j.verdict === 'pass').length,
    judged: counted.length,
    of: controls.length > 0 ? 'controls' : 'tasks',
  };
}

/** All hosts of an audit: of the summaries, and of judgements where a run was broken off. */
export function hostsOf(audit: Audit): readonly string[] {
  return [...new Set([...Object.keys(audit.hosts), ...audit.judgements.map((j) => j.host)])];
}

function itemText(item: unknown): string {
  return typeof item === 'string' ? item : JSON.stringify(item);
}
