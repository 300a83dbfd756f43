import {visible} from '../base/visible.ts';
import {hostsOf, type Audit, type Judgement} from './audit.ts';
import {verdictWords} from './judgement.ts';
import {partsOfPlace} from './place.ts';
import {complaintsOf} from './remedy.ts';
import {waiverText} from './waiver.ts';

/**
 * JUnit XML: a suite per host, a case per rule. Waived, unknown and not applicable are `skipped` with the reason. Only elements and attributes that
 * Ant's, Jenkins's and GitLab's readers all know. *source*: the schemas of Apache Ant's junitreport and of Jenkins's xunit plugin.
 */
export function junitXml(audit: Audit): string {
  const ofHost = Map.groupBy(audit.judgements, (j) => j.host);
  const suites = hostsOf(audit).map((host) => ({
    name: host,
    cases: (ofHost.get(host) ?? []).map((j) => caseOf(j, audit)),
  }));
  const errors = audit.problems.filter((p) => p.severity === 'error');
  const interrupted: Case[] = audit.complete
    ? []
    : [
        {
          name: 'the run',
          classname: 'tsplay',
          durationMs: 0,
          outcome: 'error',
          type: 'incomplete',
          message: 'the run did not come to its end',
          body: '',
        },
      ];
  if (errors.length > 0 || interrupted.length > 0)
    suites.unshift({
      name: 'tsplay',
      cases: [
        ...errors.map((p): Case => ({
          name: p.code,
          classname: fileOf(p.at ?? audit.run.playbooks[0] ?? 'tsplay'),
          durationMs: 0,
          outcome: 'error',
          type: p.code,
          message: p.message,
          body: [p.at ?? '', p.message, p.help === undefined ? '' : `help: ${p.help}`]
            .filter((t) => t !== '')
            .join('\n'),
        })),
        ...interrupted,
      ],
    });
  return `<?xml version="1.0" encoding="UTF-8"?>\n<testsuites>\n${suites.map((suite, id) => suiteXml(suite, id, audit)).join('')}</testsuites>\n`;
}

type Case = {
  readonly name: string;
  readonly classname: string;
  readonly durationMs: number;
  readonly outcome: 'pass' | 'failure' | 'error' | 'skipped';
  readonly type: string;
  readonly message: string;
  readonly body: string;
};

function caseOf(judgement: Judgement, audit: Audit): Case {
  const {rule, verdict, evidence} = judgement;
  const complaints = complaintsOf(judgement, audit);
  const said = complaints.map((c) => `${c.at}\n${c.message}${c.help === undefined ? '' : `\nhelp: ${c.help}`}`);
  const diffs = evidence.filter((e) => e.verdict !== 'pass').map((e) => e.diff);
  const skippedFor = evidence.find((e) => e.status === 'skipped')?.message;
  return {
    name: rule.control === undefined ? rule.title : `${rule.id}: ${rule.title}`,
    classname: fileOf(rule.at),
    durationMs: evidence.reduce((sum, e) => sum + e.durationMs, 0),
    outcome: verdict === 'pass' ? 'pass' : verdict === 'fail' ? 'failure' : verdict === 'error' ? 'error' : 'skipped',
    type: complaints[0]?.code ?? verdict,
    message:
      (verdict === 'waived' ? waiverText(judgement.waiver) : complaints[0]?.message) ??
      (skippedFor === undefined ? verdictWords[verdict] : `${verdictWords[verdict]}: ${skippedFor}`),
    body: [...said, ...diffs].filter((text) => text !== '').join('\n'),
  };
}

function suiteXml({name, cases}: {name: string; cases: readonly Case[]}, id: number, {run}: Audit): string {
  const count = (outcome: Case['outcome']): number => cases.filter((c) => c.outcome === outcome).length;
  const time = cases.reduce((sum, c) => sum + c.durationMs, 0);
  const attributes = {
    id: String(id),
    package: 'tsplay',
    name,
    hostname: name,
    timestamp: run.started.slice(0, 19),
    tests: String(cases.length),
    failures: String(count('failure')),
    errors: String(count('error')),
    skipped: String(count('skipped')),
    time: seconds(time),
  };
  const properties = {run: run.id, mode: run.mode, playbooks: run.playbooks.join(' ')};
  return [
    `  <testsuite${attributesXml(attributes)}>`,
    '    <properties>',
    ...Object.entries(properties).map(([key, value]) => `      <property${attributesXml({name: key, value})}/>`),
    '    </properties>',
    ...cases.map(caseXml),
    '    <system-out/>',
    '    <system-err/>',
    '  </testsuite>\n',
  ].join('\n');
}

function caseXml(c: Case): string {
  const open = `    <testcase${attributesXml({classname: c.classname, name: c.name, time: seconds(c.durationMs)})}`;
  if (c.outcome === 'pass') return `${open}/>`;
  const inner =
    c.outcome === 'skipped'
      ? `<skipped${attributesXml({message: c.message})}/>`
      : `<${c.outcome}${attributesXml({message: c.message, type: c.type})}>${xmlText(c.body)}</${c.outcome}>`;
  return `${open}>\n      ${inner}\n    </testcase>`;
}

function attributesXml(attributes: Readonly<Record<string, string>>): string {
  return Object.entries(attributes)
    .map(
      ([name, value]) =>
        ` ${name}="${xmlText(value)
          .replaceAll('"', '&quot;')
          .replace(/[\n\t]+/g, ' ')}"`,
    )
    .join('');
}

/** Text in XML: markup escaped, and what XML 1.0 cannot hold made visible. */
function xmlText(text: string): string {
  return visible(text.toWellFormed())
    .replace(/[\ufffe\uffff]/g, '\ufffd')
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;');
}

function seconds(ms: number): string {
  return (ms / 1000).toFixed(3);
}

function fileOf(at: string): string {
  return partsOfPlace(at).file;
}
