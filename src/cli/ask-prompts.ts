import {Secret} from '../base/secret.ts';
import type {VarsPrompt} from '../playbook/program.ts';
import type {Node} from '../playbook/node.ts';
import type {Site} from '../playbook/site.ts';
import {askSecret, askText, NoTerminal} from './prompt.ts';

/** An answer, with the play's place in the program. */
export type Answer = {readonly play: number; readonly name: string; readonly value: unknown};

/** Asks what the plays' `vars_prompt` want to know; `-e` answers too. Without a terminal the default counts. *errors*: NoTerminal where there is none. */
export async function askPrompts(site: Site): Promise<readonly Answer[]> {
  const answers: Answer[] = [];
  for (const [i, play] of site.program.plays.entries()) {
    for (const prompt of play.varsPrompt) {
      if (site.variables.extraVars.has(prompt.name)) continue;
      const fallback = prompt.default === undefined ? undefined : site.bareScope(play.folder).evaluate(prompt.default);
      const otherwise: unknown = fallback?.ok === true ? fallback.value : undefined;
      const answer = await ask(prompt, otherwise);
      const value = prompt.encrypt === undefined ? answer : hashed(site, prompt, answer);
      site.answer(play, prompt.name, value);
      answers.push({play: i, name: prompt.name, value});
    }
  }
  return answers;
}

async function ask(prompt: VarsPrompt, otherwise: unknown): Promise<unknown> {
  const shown = otherwise === undefined || prompt.isPrivate ? '' : ` [${String(otherwise)}]`;
  const question = `${prompt.prompt === '' ? prompt.name : prompt.prompt}${shown}: `;
  const once = (text: string): Promise<Secret | string> => (prompt.isPrivate ? askSecret(text) : askText(text));
  try {
    for (;;) {
      const answer = await once(question);
      if (prompt.confirm && textOf(await once(`again, ${question}`)) !== textOf(answer)) {
        process.stderr.write('the two answers differ\n');
        continue;
      }
      return textOf(answer) === '' && otherwise !== undefined ? otherwise : answer;
    }
  } catch (error) {
    if (error instanceof NoTerminal && otherwise !== undefined) return otherwise;
    throw error;
  }
}

function textOf(answer: Secret | string): string {
  return answer instanceof Secret ? answer.reveal() : answer;
}

/** The answer as `encrypt` wants it, by the filter that playbooks use for it. */
function hashed(site: Site, {encrypt, salt, saltSize, span}: VarsPrompt, answer: unknown): unknown {
  const type = (encrypt ?? '').replace(/_crypt$/, '');
  const text = `{{ answer | password_hash(type, salt=salt${saltSize === undefined ? '' : ', salt_size=size'}) }}`;
  const node: Node = {kind: 'scalar', value: text, raw: text, style: 'double', span};
  const result = site
    .bareScope()
    .with({answer, type, salt: salt ?? null, size: saltSize ?? null})
    .evaluate(node);
  if (result.ok) return result.value;
  throw new Error(result.problems[0].message);
}
