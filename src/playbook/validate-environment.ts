// Templates are evaluated for their mistakes before a run and for their values in it. What is slow on purpose need not be slow twice.
import type {Environment, Filter} from '../template/environment.ts';

/** *units*: rounds of a password hash; the least that the format allows. The usual 656,000 take more than a second. */
const fewRounds = 1000;

/** The environment with hashes of passwords made quickly: of the right form, from judged arguments, good for nothing. */
export function quickEnvironment(environment: Environment): Environment {
  const slow = environment.filters.get('password_hash');
  if (slow === undefined) return environment;
  const hash = slow.apply as unknown as (...args: readonly unknown[]) => unknown;
  const at = slow.params.indexOf('rounds');
  const quick: Filter = {
    ...slow,
    apply: (...given) => {
      const args: unknown[] = [...given];
      const rounds = args[2 + at];
      // a number that is wrong is still refused
      const isFine = rounds === undefined || rounds === null || Number(rounds) >= fewRounds;
      if (isFine && !(Number(rounds) > 5_000_000)) args[2 + at] = fewRounds;
      return hash(...args);
    },
  };
  return {...environment, filters: new Map([...environment.filters, ['password_hash', quick]])};
}
