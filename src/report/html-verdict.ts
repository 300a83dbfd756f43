import {markup, type Markup} from './html-text.ts';
import {verdictWords, type JudgementVerdict} from './judgement.ts';

/** A sign for each verdict, so that colour alone says nothing. */
export const verdictSigns: Readonly<Record<JudgementVerdict, string>> = {
  pass: '✓',
  fail: '✗',
  waived: '~',
  'not-applicable': '–',
  error: '!',
  unknown: '?',
};

/** A verdict with its sign, and a number before it where one is given. */
export function verdictBadge(verdict: JudgementVerdict, count?: number): Markup {
  const number = count === undefined ? '' : `${count} `;
  return markup`<span class="badge v-${verdict}"><span aria-hidden="true">${verdictSigns[verdict]} </span>${number}${verdictWords[verdict]}</span>`;
}
