import {visible} from '../base/visible.ts';
import {hostsOf, scoreOf, type Audit} from './audit.ts';
import {groupFindings, type FindingGroup} from './finding-group.ts';
import {waiverText} from './waiver.ts';
import {verdictWords, verdicts, type JudgementVerdict} from './judgement.ts';

/** A summary in Markdown (GitHub's and GitLab's dialect), for merge requests and job pages: the score, a line per host, every complaint with its diff. */
export function markdownSummary(audit: Audit): string {
  const score = scoreOf(audit);
  const hosts = hostsOf(audit);
  const used = verdicts.filter((v) => audit.judgements.some((j) => j.verdict === v));
  const ofHost = Map.groupBy(audit.judgements, (j) => j.host);
  const countOf = (host: string, verdict: JudgementVerdict): number =>
    (ofHost.get(host) ?? []).filter((j) => j.verdict === verdict).length;
  const blocks = [
    `# tsplay ${audit.run.mode}: ${audit.run.playbooks.map(inline).join(', ')}`,
    audit.complete ? '' : '**The run did not come to its end: this report is incomplete.**',
    `${score.judged === 0 ? '**Nothing was judged.**' : `**${score.passed} of ${score.judged}** judgements of ${score.of} passed.`} ` +
      `${audit.run.started}, ${(audit.run.durationMs / 1000).toFixed(1)} s, exit status ${audit.run.exit}.`,
    hosts.length === 0
      ? ''
      : [
          row(['host', 'status', ...used.map((v) => verdictWords[v])]),
          row(['---', '---', ...used.map(() => '---:')]),
          ...hosts.map((host) =>
            row([
              inline(host),
              audit.hosts[host]?.status ?? 'unfinished',
              ...used.map((verdict) => String(countOf(host, verdict))),
            ]),
          ),
        ].join('\n'),
    ...audit.problems.map(
      (p) =>
        `- **${p.severity}** ${inline(p.code)}: ${inline(p.message)}${p.at === undefined ? '' : ` (${inline(p.at)})`}`,
    ),
    ...[...Map.groupBy(groupFindings(audit), (group) => group.rule)].map(([rule, groups]) =>
      [
        `## ${inline(rule.control === undefined ? rule.title : `${rule.id}: ${rule.title}`)}`,
        ...groups.map(groupBlock),
      ].join('\n\n'),
    ),
  ];
  return `${blocks.filter((block) => block !== '').join('\n\n')}\n`;
}

function groupBlock({judgements, complaints, diff}: FindingGroup): string {
  const hosts = judgements.map((j) => inline(j.host)).join(', ');
  const verdict = verdictWords[judgements[0]?.verdict ?? 'fail'];
  const said = complaints.map(
    (c) =>
      `- **${verdict}** on ${hosts}: ${inline(c.message)} (${inline(c.at)})` +
      (c.help === undefined ? '' : `\n  help: ${inline(c.help)}`),
  );
  const waiver = judgements[0]?.verdict === 'waived' ? waiverText(judgements[0].waiver) : undefined;
  if (waiver !== undefined) said.push(`- ${inline(waiver)}`);
  return [said.join('\n'), ...(diff === '' ? [] : [fenced(diff)])].join('\n\n');
}

/** Text between others, nothing in it taken for markup: a host's output must not make links, images or HTML. */
function inline(text: string): string {
  return visible(text)
    .replace(/\s+/g, ' ')
    .replace(/[\\`*_{}[\]<>()#+!|~&]/g, '\\$&');
}

/** A block of code whose fence is longer than any in the text. */
function fenced(text: string): string {
  const longest = Math.max(2, ...[...text.matchAll(/`+/g)].map(([ticks]) => ticks.length));
  const fence = '`'.repeat(longest + 1);
  return `${fence}diff\n${visible(text).trimEnd()}\n${fence}`;
}

function row(cells: readonly string[]): string {
  return `| ${cells.join(' | ')} |`;
}
