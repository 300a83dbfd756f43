/** A task's tags, --tags, --skip-tags: does it take part? */
export const tagTable: readonly [own: string, tags: string, skip: string, expected: boolean][] = [
  ['', '', '', true],
  ['a', '', '', true],
  ['a', 'a', '', true],
  ['a', 'b', '', false],
  ['', 'a', '', false],
  ['a,b', 'b', '', true],
  ['a', '', 'a', false],
  ['a,b', 'a', 'b', false],
  ['always', 'a', '', true],
  ['always', '', 'always', false],
  ['always,a', 'b', '', true],
  ['always', 'a', 'all', true],
  ['always', '', 'all', true],
  ['always,a', '', 'a', false],
  ['always,never', '', '', true],
  ['never', '', '', false],
  ['never', 'all', '', false],
  ['never,a', 'a', '', true],
  ['never,a', 'never', '', true],
  ['never', 'tagged', '', false],
  ['a', 'tagged', '', true],
  ['', 'tagged', '', false],
  ['', 'untagged', '', true],
  ['a', 'untagged', '', false],
  ['always', 'untagged', '', true],
  ['a', 'all', '', true],
  ['a', '', 'tagged', false],
  ['', '', 'tagged', true],
  ['', '', 'untagged', false],
  ['a', '', 'untagged', true],
  ['a', '', 'all', false],
];

/** `a,b` as a list. */
export function split(text: string): string[] {
  return text === '' ? [] : text.split(',');
}
