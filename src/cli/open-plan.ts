// Opens a plan file: what everybody may read of it, and what only who holds its password or key may.
import {readFileSync} from 'node:fs';
import {error, type Diagnostic} from '../base/diagnostic.ts';
import {bad, ok, type Result} from '../base/result.ts';
import type {VaultPassword} from '../secrets/vault.ts';
import {controllerKey} from '../store/controller-key.ts';
import {unseal} from '../store/plan-seal.ts';
import {contextOf, editedLines, parsePlan, type PlanText} from '../store/plan-text.ts';
import type {PlanContent} from './plan-content.ts';

/** Reads a plan file. `shown`: the path as the user wrote it. *errors*: `no-plan` and those of {@link parsePlan}. */
export function readPlanFile(path: string, shown: string): Result<PlanText> {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (cause) {
    const {code} = cause as NodeJS.ErrnoException;
    const why = code === 'ENOENT' ? 'does not exist' : `cannot be read (${code ?? 'unknown error'})`;
    return bad(error('no-plan', `${shown} ${why}`, {help: 'plans are made by `tsplay plan PLAYBOOK… -o FILE`'}));
  }
  // its lines are long, and of no help to anybody
  return parsePlan({path: shown, text, secret: true});
}

/** Opens what is sealed and holds the clear part against it. *errors*: those of {@link unseal}, `plan-edited`. */
export function openPlan(
  plan: PlanText,
  keys: {readonly passwords: readonly VaultPassword[]; readonly state: string},
): Result<PlanContent> {
  const {head, sealed, source} = plan;
  const start = Math.max(0, source.text.lastIndexOf('"sealed"'));
  const at = {source, start, end: start + '"sealed"'.length};
  let key: Uint8Array | undefined;
  try {
    key = controllerKey(keys.state);
  } catch {
    // no key that can be read is none
  }
  const opened = unseal(sealed, {passwords: keys.passwords, key}, contextOf(head), at);
  if (!opened.ok) return withMaker(opened.problems, plan);
  const content = opened.value as PlanContent;
  const [first, ...more] = editedLines(plan, content.lines);
  return first === undefined ? ok(content) : bad(first, ...more.slice(0, 9));
}

/** Says of a foreign plan who made it. */
function withMaker(problems: readonly [Diagnostic, ...Diagnostic[]], {head}: PlanText): Result<PlanContent> {
  const [first, ...more] = problems;
  if (first.code !== 'plan-elsewhere') return bad(first, ...more);
  return bad({...first, message: `${first.message}: ${head.made.by} made it`}, ...more);
}
