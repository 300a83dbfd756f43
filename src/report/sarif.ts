import {createHash} from 'node:crypto';
import {isAbsolute} from 'node:path';
import {pathToFileURL} from 'node:url';
import {visible} from '../base/visible.ts';
import type {Audit, AuditProblem, Judgement, Rule} from './audit.ts';
import type {ControlSeverity} from './judgement.ts';
import {partsOfPlace} from './place.ts';
import {complaintsOf, type Complaint} from './remedy.ts';

type Json = Readonly<Record<string, unknown>>;

/** What a severity is in GitHub's scale of 0 to 10. */
const securitySeverity: Readonly<Record<ControlSeverity, string>> = {
  critical: '9.5',
  high: '8.0',
  medium: '5.5',
  low: '3.0',
  info: '0.0',
};

/** What the codes of results without a control mean. */
const codeTexts: Readonly<Record<string, string>> = {
  differs: 'The host is not as declared',
  failed: 'The task failed',
  refused: 'The task refused to go on',
  unknown: 'Known only when it is applied',
  'not-reached': 'The host was not judged',
};

/**
 * SARIF 2.1.0: a result for every complaint, placed at its task in the playbook. Rules are controls, or codes of findings where a task has no control.
 * Passes are left out: readers take every result for something to mend. *source*: OASIS SARIF 2.1.0 with errata 01.
 */
export function sarifDocument(audit: Audit, version: string): Json {
  const rules = new Map<string, Json>();
  const results: Json[] = [];
  const ruleIndex = (id: string, make: () => Json): number => {
    if (!rules.has(id)) rules.set(id, make());
    return [...rules.keys()].indexOf(id);
  };
  for (const rule of audit.rules) if (rule.control !== undefined) ruleIndex(rule.id, () => controlRule(rule));
  for (const judgement of audit.judgements) {
    for (const complaint of complaintsOf(judgement, audit)) {
      const {control} = judgement.rule;
      const id = control?.id ?? complaint.code;
      const index = ruleIndex(id, () => codeRule(id));
      results.push(resultOf(judgement, complaint, id, index));
    }
  }
  for (const problem of audit.problems) {
    if (problem.at === undefined) continue;
    const index = ruleIndex(problem.code, () => codeRule(problem.code));
    results.push(problemResult(problem, problem.at, index));
  }
  return {
    $schema: 'https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json',
    version: '2.1.0',
    runs: [
      {
        tool: {driver: {name: 'tsplay', version, rules: [...rules.values()]}},
        automationDetails: {id: `tsplay/${audit.run.mode}/${audit.run.id}`},
        invocations: [
          {
            executionSuccessful: audit.complete && (audit.run.exit & ~8) === 0,
            exitCode: audit.run.exit,
            startTimeUtc: audit.run.started,
            endTimeUtc: new Date(Date.parse(audit.run.started) + audit.run.durationMs).toISOString(),
            toolExecutionNotifications: audit.problems
              .filter((p) => p.at === undefined)
              .map((p) => ({
                level: p.severity,
                message: {text: withHelp(p.message, p.help)},
                descriptor: {id: p.code},
              })),
          },
        ],
        columnKind: 'utf16CodeUnits',
        results,
      },
    ],
  };
}

function controlRule(rule: Rule): Json {
  const {control} = rule;
  const severity = control?.severity ?? 'medium';
  const addresses = control?.refs.filter((ref) => /^https?:\/\/\S+$/.test(ref)) ?? [];
  const text = visible(rule.title);
  const full = [control?.rationale, ...(control?.refs ?? [])].filter((t) => t !== undefined && t !== '');
  return {
    id: rule.id,
    shortDescription: {text},
    ...(full.length === 0 ? {} : {fullDescription: {text: visible(full.join('\n'))}}),
    ...(addresses[0] === undefined || !URL.canParse(addresses[0]) ? {} : {helpUri: new URL(addresses[0]).href}),
    defaultConfiguration: {level: levelOf(severity)},
    properties: {tags: ['compliance', severity], 'security-severity': securitySeverity[severity]},
  };
}

function codeRule(id: string): Json {
  return {id, shortDescription: {text: codeTexts[id] ?? id}};
}

function resultOf({host, rule, verdict, waiver}: Judgement, complaint: Complaint, ruleId: string, index: number): Json {
  const open = verdict === 'unknown';
  const identity = [host, rule.id, complaint.code, partsOfPlace(complaint.at).file, complaint.message].join('\0');
  return {
    ruleId,
    ruleIndex: index,
    kind: open ? 'open' : 'fail',
    level: open ? 'none' : levelOf(rule.control?.severity ?? 'high'),
    message: {text: withHelp(`${host}: ${complaint.message}`, complaint.help)},
    locations: [
      {
        physicalLocation: physical(complaint.at),
        logicalLocations: [{name: visible(host), fullyQualifiedName: visible(host), kind: 'resource'}],
      },
    ],
    partialFingerprints: {'hostAndRule/v1': createHash('sha256').update(identity).digest('hex')},
    ...(verdict !== 'waived' || waiver === undefined
      ? {}
      : {
          suppressions: [
            {
              kind: 'external',
              status: 'accepted',
              justification: visible(`${waiver.owner} until ${waiver.expires}: ${waiver.reason}`),
            },
          ],
        }),
    properties: {host: visible(host), verdict, code: complaint.code},
  };
}

function problemResult(problem: AuditProblem, at: string, index: number): Json {
  return {
    ruleId: problem.code,
    ruleIndex: index,
    level: problem.severity,
    message: {text: withHelp(problem.message, problem.help)},
    locations: [{physicalLocation: physical(at)}],
  };
}

function physical(at: string): Json {
  const {file, line, column} = partsOfPlace(at);
  const uri = isAbsolute(file)
    ? pathToFileURL(file).href
    : file.toWellFormed().split('/').map(encodeURIComponent).join('/');
  return {artifactLocation: {uri}, region: {startLine: line, startColumn: column}};
}

function levelOf(severity: ControlSeverity): 'error' | 'warning' | 'note' {
  if (severity === 'critical' || severity === 'high') return 'error';
  return severity === 'medium' ? 'warning' : 'note';
}

function withHelp(message: string, help: string | undefined): string {
  return visible(help === undefined ? message : `${message}\nhelp: ${help}`);
}
