// Binds the arguments of a call to the parameters of a filter, test or method.
import {nearestName} from '../base/nearest.ts';
import {Misuse} from './fault.ts';
import type {Named} from './values.ts';

/**
 * The arguments in the order of `params`, undefined where not given. `'*'` collects further positional arguments into an
 * array, `'**'` the named ones into a Map. *errors*: Misuse for too many, unknown or doubled ones.
 */
export function bind(params: readonly string[], args: readonly unknown[], named: Named, name: string): unknown[] {
  if (named.size === 0 && params.length >= args.length && !params.some((param) => param.startsWith('*')))
    return [...args];
  const plain = params.filter((param) => !param.startsWith('*'));
  const out: unknown[] = plain.map((_, i) => args[i]);
  const rest = new Map<string, unknown>();
  for (const [key, value] of named) {
    const index = plain.indexOf(key);
    if (index >= 0) {
      if (index < args.length) throw new Misuse(`${name}: the argument "${key}" is given twice`, 'bad-argument');
      out[index] = value;
    } else if (params.includes('**')) rest.set(key, value);
    else {
      const near = nearestName(key, plain);
      throw new Misuse(`${name} has no argument "${key}"`, 'bad-argument', near && `did you mean "${near}"?`);
    }
  }
  if (params.includes('*')) out.push(args.slice(plain.length));
  else if (args.length > plain.length)
    throw new Misuse(`${name} takes at most ${plain.length} arguments, ${args.length} are given`, 'bad-argument');
  if (params.includes('**')) out.push(rest);
  return out;
}
