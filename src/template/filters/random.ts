// Filters that choose by chance: with a seed as Python does, else from the environment's source of random bytes.
import {createHash} from 'node:crypto';
import {elementsOf, textOf} from '../compare.ts';
import type {Filter, Site} from '../environment.ts';
import {Misuse} from '../fault.ts';
import {isFloat, isInt, isNumeric, toNumber} from '../number.ts';
import {PythonRandom} from '../random.ts';
import {plain} from './text.ts';

/** A generator for the seed; without one it is seeded from the environment. */
function generator(site: Site, seed: unknown): PythonRandom {
  if (seed !== undefined && seed !== null) {
    if (isInt(seed)) return new PythonRandom(BigInt(seed));
    if (textOf(seed) !== undefined) return new PythonRandom(plain(seed));
    throw new Misuse('seed must be a text or an integer', 'bad-argument');
  }
  const bytes = site.environment.randomBytes?.(32);
  if (bytes === undefined)
    throw new Misuse('there is no randomness here', 'not-available', 'give a seed, such as seed=inventory_hostname');
  return new PythonRandom(BigInt(`0x${Buffer.from(bytes).toString('hex')}`));
}

function random(site: Site, value: unknown, startGiven?: unknown, stepGiven?: unknown, seed?: unknown): unknown {
  const chance = generator(site, seed);
  if (isNumeric(value) && !isFloat(value)) {
    const start = Number(startGiven ?? 0);
    const step = Number(stepGiven ?? 1);
    const count = Math.ceil((toNumber(value) - start) / step);
    if (!(count > 0)) throw new Misuse('the range is empty');
    return start + step * chance.below(count);
  }
  if (startGiven !== undefined || stepGiven !== undefined)
    throw new Misuse('start and step can only be used with integers', 'bad-argument');
  const list = elementsOf(value);
  if (list.length === 0) return site.undefined('the list is empty: nothing can be chosen');
  return list[chance.below(list.length)];
}

function randomMac(site: Site, value: unknown, seed?: unknown): string {
  const prefix = plain(value).toLowerCase().replace(/:$/, '');
  const given = prefix.split(':');
  if (!given.every((part) => /^[\da-f]{2}$/.test(part)) || given.length > 5)
    throw new Misuse(`"${plain(value)}" is no prefix of a MAC address`);
  const chance = generator(site, seed);
  // Ansible draws one number of 24 to 40 bits.
  const from = 68_719_476_736;
  const number = from + chance.below(1_099_511_627_775 - from + 1);
  const digits = number.toString(16).padStart(10, '0').match(/../g) ?? [];
  return [...given, ...digits].slice(0, 6).join(':');
}

export const randomFilters: readonly (readonly [string, Filter])[] = [
  ['random', {params: ['end_start', 'step', 'seed'], mode: 'moves', apply: random}],
  [
    'shuffle',
    {
      params: ['seed'],
      mode: 'moves',
      apply: (site, value, seed?: unknown) => generator(site, seed).shuffled(elementsOf(value)),
    },
  ],
  ['random_mac', {params: ['seed'], apply: randomMac}],
  [
    'to_uuid',
    {
      params: ['namespace'],
      apply: (_site, value, namespace?: unknown) =>
        uuid5(plain(value), namespace === undefined ? undefined : plain(namespace)),
    },
  ],
];

/** UUID version 5 in Ansible's own name space unless told otherwise. source: RFC 4122 section 4.3 */
function uuid5(name: string, namespace = '361E6D51-FAEC-444A-9079-341386DA8E2E'): string {
  const space = Buffer.from(namespace.replaceAll('-', ''), 'hex');
  if (space.length !== 16) throw new Misuse(`"${namespace}" is no UUID`, 'bad-argument');
  const hash = createHash('sha1').update(space).update(name).digest().subarray(0, 16);
  hash[6] = ((hash[6] ?? 0) & 0x0f) | 0x50;
  hash[8] = ((hash[8] ?? 0) & 0x3f) | 0x80;
  return hash.toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
}
