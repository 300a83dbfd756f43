// `web[01:50].example.com:2222` stands for fifty hosts and a port; inventories may be small because of it.
import {ok, bad} from '../base/result.ts';
import type {Result} from '../base/result.ts';
import {error} from '../base/diagnostic.ts';
import type {Span} from '../base/diagnostic.ts';

/** Host names that an inventory entry stands for, in order, and the port that it gives. */
export type HostNames = {readonly names: readonly string[]; readonly port: number | undefined};

const limit = 1_000_000;

/** Splits off the port and expands all ranges `[first:last]` and `[first:last:step]` of numbers or letters. */
export function expandHosts(text: string, span: Span): Result<HostNames> {
  const {name, port} = splitPort(text);
  if (name === '') return bad(error('bad-host', 'a host has no name', {span}));
  if (name.startsWith('-')) return bad(error('bad-host', `a host name must not begin with "-": ${name}`, {span}));
  if (/[\u0000-\u0020\u007f]/.test(name))
    return bad(
      error('bad-host', `a host name must not hold blanks or control characters: ${JSON.stringify(name)}`, {span}),
    );
  if (isIpv6(name)) return ok({names: [name], port});
  const expanded = expand(name, span);
  return expanded.ok ? ok({names: expanded.value, port}) : expanded;
}

/** Whether a name is an IPv6 address (two colons at least, no brackets). */
function isIpv6(name: string): boolean {
  return /^[\da-fA-F:.]*:[\da-fA-F:.]*:[\da-fA-F:.%\w]*$/.test(name);
}

function splitPort(text: string): {name: string; port: number | undefined} {
  const bracketed = /^\[([^\]]*)\](?::(\d+))?$/.exec(text);
  if (bracketed?.[1] !== undefined && isIpv6(bracketed[1]))
    return {name: bracketed[1], port: bracketed[2] === undefined ? undefined : Number(bracketed[2])};
  const withPort = /^((?:[^:[\]]|\[[^\]]*\])+):(\d+)$/.exec(text);
  if (withPort?.[1] !== undefined) return {name: withPort[1], port: Number(withPort[2])};
  return {name: text, port: undefined};
}

function expand(pattern: string, span: Span): Result<readonly string[]> {
  const open = pattern.indexOf('[');
  if (open < 0) return ok([pattern]);
  const close = pattern.indexOf(']', open);
  if (close < 0)
    return bad(
      error('bad-host-range', `the range in ${pattern} is not closed`, {span, help: 'web[01:50].example.com'}),
    );
  const range = rangeOf(pattern.slice(open + 1, close), span);
  if (!range.ok) return range;
  const tails = expand(pattern.slice(close + 1), span);
  if (!tails.ok) return tails;
  if (range.value.length * tails.value.length > limit)
    return bad(error('bad-host-range', `${pattern} stands for more than a million hosts`, {span}));
  const head = pattern.slice(0, open);
  return ok(range.value.flatMap((piece) => tails.value.map((tail) => head + piece + tail)));
}

function rangeOf(text: string, span: Span): Result<readonly string[]> {
  const problem = (message: string): Result<readonly string[]> =>
    bad(
      error('bad-host-range', `${message}: [${text}]`, {
        span,
        help: 'write [first:last] or [first:last:step], such as [01:50] or [a:f]',
      }),
    );
  const parts = text.split(':');
  const [first = '', last = '', stepText = '1'] = parts;
  if (parts.length < 2 || parts.length > 3) return problem('not a range of hosts');
  if (last === '') return problem('the range has no end');
  const step = Number(stepText === '' ? '1' : stepText);
  if (!Number.isInteger(step) || step < 1) return problem('the step of a range is a number above 0');
  if (/^[a-zA-Z]$/.test(first) && /^[a-zA-Z]$/.test(last)) {
    const letters = 'abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ';
    const from = letters.indexOf(first);
    const to = letters.indexOf(last);
    if (from > to) return problem('the range ends before it begins');
    return ok(Array.from(letters.slice(from, to + 1)).filter((_, i) => i % step === 0));
  }
  if (!/^\d*$/.test(first) || !/^\d+$/.test(last))
    return problem('a range goes from number to number or from letter to letter');
  const padded = first.length > 1 && first.startsWith('0');
  if (padded && first.length !== last.length)
    return problem('with leading zeros both ends must have the same number of digits');
  const from = Number(first === '' ? '0' : first);
  const to = Number(last);
  if (from > to) return problem('the range ends before it begins');
  if ((to - from) / step > limit) return problem('the range stands for more than a million hosts');
  const names: string[] = [];
  for (let n = from; n <= to; n += step) names.push(padded ? String(n).padStart(first.length, '0') : String(n));
  return ok(names);
}
