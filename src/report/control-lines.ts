import {styleText} from 'node:util';
import {visible} from '../base/visible.ts';
import {scoreOf, type Audit} from './audit.ts';
import {verdicts, verdictWords, type JudgementVerdict} from './judgement.ts';

const colours: Partial<Record<JudgementVerdict, 'red' | 'green' | 'yellow' | 'magenta' | 'cyan'>> = {
  fail: 'red',
  error: 'magenta',
  unknown: 'yellow',
  waived: 'cyan',
  pass: 'green',
};

/** The end of a report on a terminal: a line for each control that is no pass everywhere, and the count. Empty where a site has no controls. */
export function controlLines(audit: Audit, color: boolean): string {
  const paint = (verdict: JudgementVerdict, text: string): string =>
    color && colours[verdict] !== undefined ? styleText(colours[verdict], text, {validateStream: false}) : text;
  const rules = audit.rules.filter((rule) => rule.control !== undefined);
  if (rules.length === 0) return '';
  const lines = rules.flatMap((rule) => {
    // that a host was unreachable stands above, once
    const judged = audit.judgements.filter((j) => j.rule === rule && audit.hosts[j.host]?.status !== 'unreachable');
    const said = verdicts
      .filter((verdict) => verdict !== 'pass' && verdict !== 'not-applicable')
      .flatMap((verdict) => {
        const hosts = judged.filter((j) => j.verdict === verdict).map((j) => visible(j.host));
        return hosts.length === 0 ? [] : [`${paint(verdict, verdictWords[verdict])} on ${listed(hosts)}`];
      });
    const {control} = rule;
    if (said.length === 0 || control === undefined) return [];
    return [`  ${visible(control.id)} (${control.severity}) ${visible(rule.title)}: ${said.join(', ')}`];
  });
  const {passed, judged} = scoreOf(audit);
  const total = `controls: ${passed} of ${judged} judgements passed`;
  return `\n${lines.length === 0 ? total : `${total}\n${lines.join('\n')}`}\n`;
}

function listed(hosts: readonly string[]): string {
  return hosts.length <= 5 ? hosts.join(', ') : `${hosts.slice(0, 4).join(', ')} and ${hosts.length - 4} more`;
}
