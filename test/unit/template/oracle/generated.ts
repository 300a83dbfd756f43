// Expressions made by chance (the same ones every time) for the comparison with ansible-core: printing, YAML, JSON,
// number formats and wrapping have too many corners for a table.

const PIECES = [
  ...[
    'a',
    'b',
    ' ',
    '  ',
    ':',
    ': ',
    ' #',
    '-',
    '- ',
    '?',
    '&',
    '*',
    '!',
    '%',
    '@',
    '`',
    "'",
    '"',
    '\\n',
    '\\n\\n',
    '\\t',
    '[',
  ],
  ...[
    ']',
    '{',
    '}',
    ',',
    '|',
    '>',
    '=',
    '~',
    'yes',
    'no',
    'null',
    '1',
    '0',
    '.',
    '1.5',
    'e',
    'ü',
    '\\x07',
    'word',
    '<<',
    '/',
  ],
  ...['\\\\', 'ends', '0x', '_', '+', '\\r', '\\u20ac', 'the quick brown fox', '\\x85', '💥'],
];

/** A generator of numbers from 0 to `limit` - 1. */
function chance(seed: number): (limit: number) => number {
  let state = seed;
  return (limit) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * limit);
  };
}

/** `count` expressions. */
export function generated(count: number, seed: number): string[] {
  const below = chance(seed);
  const pick = <T>(list: readonly T[]): T => list[below(list.length)]!;
  const many = <T>(limit: number, make: () => T): T[] => Array.from({length: below(limit)}, make);
  const text = (): string =>
    `'${many(below(4) === 0 ? 26 : 7, () => pick(PIECES))
      .join('')
      .replaceAll("'", "\\'")}'`;
  const number = (): string =>
    pick([
      () => String(below(100) - 50),
      () => (below(100_000) / 1000).toFixed(3),
      () => `${below(1e6)}.0`,
      () => `1e${below(40) - 20}`,
      () => String(below(1e9)),
      () => String(below(1e6) / 7),
    ])();
  const value = (depth: number): string => {
    const kind = below(depth > 0 ? 7 : 5);
    if (kind < 3) return text();
    if (kind === 3) return number();
    if (kind === 4) return pick(['true', 'false', 'none']);
    if (kind === 5) return `[${many(4, () => value(depth - 1)).join(', ')}]`;
    return `{${many(4, () => `${text()}: ${value(depth - 1)}`).join(', ')}}`;
  };
  const shapes = [
    () => `${value(3)} | to_nice_yaml`,
    () => `${value(3)} | to_yaml`,
    () => `${value(2)} | to_nice_json`,
    () => `${value(2)} | to_json`,
    () => `${value(2)} | string`,
    () => `${number()} ${pick(['+', '-', '*', '/', '//', '%'])} ${number()}`,
    () => `${number()} | round(${below(4)}, '${pick(['common', 'ceil', 'floor'])}')`,
    () =>
      `'%${pick(['', '-', '0', '+', ' '])}${pick(['', '8'])}${pick(['', '.0', '.2', '.5'])}${pick(['d', 'f', 'e', 'g', 's', 'x', 'G'])}' | format(${number()})`,
    () =>
      `'{:${pick(['', '<', '>', '^', '*^', '='])}${pick(['', '+'])}${pick(['', '0'])}${pick(['', '10'])}${pick(['', ','])}${pick(['', '.2'])}${pick(['', 'f', 'd', 'e', 'g', '%', 'x'])}}'.format(${number()})`,
    () => `${text()} | wordwrap(${3 + below(12)})`,
    () =>
      `${text()} | ${pick(['title', 'capitalize', 'upper', 'urlencode', 'quote', 'trim', 'wordcount', 'escape', 'indent', 'regex_escape', 'length', 'b64encode', 'comment'])}`,
  ];
  return Array.from({length: count}, () => pick(shapes)());
}
