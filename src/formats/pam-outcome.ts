/*
 * What a PAM stack can come to, without asking any module: libpam's dispatch played through for everything that a module may answer.
 * *source*: Linux-PAM libpam/pam_dispatch.c; pam.conf(5).
 */
import {canonicalControl, jumpsOf, type PamStack, type PamType} from './pam.ts';

export type PamOutcomes = {
  /** no rule of this type: libpam asks the service `other` instead */
  readonly empty: boolean;
  readonly canSucceed: boolean;
  readonly canFail: boolean;
  /** positions in `lines` of rules that no answer of the others leads to */
  readonly unreached: readonly number[];
};

/** Whether the stack has been convinced so far; undecided at the end is a refusal. */
type Impression = 'undecided' | 'positive' | 'negative';
type Answer = 'success' | 'failure' | 'ignore';

/** What the stack of a type can come to. Included files may come to anything. Jumps out of the stack refuse, as in libpam. */
export function pamOutcomes(stack: PamStack, type: PamType): PamOutcomes {
  const sequence = stack.lines.flatMap((line, index) =>
    line.kind === 'include' || (line.kind === 'rule' && line.rule.type === type) ? [index] : [],
  );
  const reached = new Set<number>();
  const seen = new Set<string>();
  const ends = new Set<Impression>();
  const visit = (at: number, impression: Impression): void => {
    const key = `${at} ${impression}`;
    if (seen.has(key)) return;
    seen.add(key);
    if (at > sequence.length) return void ends.add('negative');
    const index = sequence[at];
    const line = index === undefined ? undefined : stack.lines[index];
    if (index === undefined || line === undefined) return void ends.add(impression);
    reached.add(index);
    const included =
      line.kind === 'include' || (line.kind === 'rule' && /^(include|substack)$/i.test(line.rule.control));
    if (included || line.kind !== 'rule') {
      ends.add('negative');
      if (impression !== 'negative') ends.add('positive');
      for (const next of impression === 'negative' ? [impression] : ([impression, 'positive', 'negative'] as const))
        visit(at + 1, next);
      return;
    }
    for (const [answer, action] of actionsOf(line.rule.control, line.rule.module)) {
      const jump = /^\d+$/.test(action) ? Number(action) : 0;
      if (jump > 0) visit(at + 1 + jump, answer === 'success' && impression === 'undecided' ? 'positive' : impression);
      else step(at, impression, action);
    }
  };
  const step = (at: number, impression: Impression, action: string): void => {
    const good: Impression = impression === 'negative' ? 'negative' : 'positive';
    switch (action) {
      case 'ok':
        return visit(at + 1, good);
      case 'done':
        return good === 'positive' ? void ends.add('positive') : visit(at + 1, good);
      case 'bad':
        return visit(at + 1, 'negative');
      case 'die':
        return void ends.add('negative');
      case 'reset':
        return visit(at + 1, 'undecided');
      default:
        return visit(at + 1, impression);
    }
  };
  visit(0, 'undecided');
  const empty = sequence.length === 0;
  return {
    empty,
    canSucceed: empty || ends.has('positive'),
    canFail: empty || ends.has('negative') || ends.has('undecided'),
    unreached: sequence.filter((index) => !reached.has(index) && stack.lines[index]?.kind === 'rule'),
  };
}

/** Every answer that the module may give, with what its control makes of it. */
function actionsOf(control: string, module: string): readonly (readonly [Answer, string])[] {
  const name = module.replace(/^.*\//, '');
  const answers: readonly Answer[] =
    name === 'pam_deny.so' ? ['failure'] : name === 'pam_permit.so' ? ['success'] : ['success', 'failure', 'ignore'];
  const actions = new Map(
    [...canonicalControl(control).matchAll(/([a-z_]+)=([a-z0-9_]+)/g)].map(([, value = '', action = '']) => [
      value,
      action,
    ]),
  );
  const fallback = actions.get('default') ?? 'bad';
  return answers.flatMap((answer): (readonly [Answer, string])[] => {
    if (answer !== 'failure') return [[answer, actions.get(answer) ?? fallback]];
    const failures = [...actions].filter(
      ([value]) => !['success', 'ignore', 'new_authtok_reqd', 'default'].includes(value),
    );
    return [fallback, ...failures.map(([, action]) => action)].map((action) => [answer, action]);
  });
}

/** Whether a control is one that libpam knows: a word, or `[value=action …]` with known actions. */
export function isPamControl(control: string): boolean {
  if (/^(required|requisite|sufficient|optional|include|substack)$/i.test(control)) return true;
  if (!/^\[.*\]$/s.test(control)) return false;
  const pairs = control.slice(1, -1).trim().split(/\s+/);
  return (
    pairs.every((pair) => /^[a-z_]+=(ignore|ok|done|bad|die|reset|\d+)$/.test(pair)) &&
    !pairs.some((pair) => jumpsOf(`[${pair}]`).length === 0 && /=\d/.test(pair))
  );
}
