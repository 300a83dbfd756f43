/** Permission bits (07777) as octal text of four digits: 420 is `0644`. */
export function octal(mode: number): string {
  return mode.toString(8).padStart(4, '0');
}

/**
 * The permission bits that a wanted mode means for a file that has `current` now: octal text sets them, symbolic text
 * (`u=rwX,g-w`) changes them. *source*: chmod(1). *units*: bits 07777. Symbolic clauses without `ugoa` act as `a`.
 */
export function resolveMode(wanted: string, current: number, isDirectory: boolean): number {
  if (/^[0-7]{3,5}$/.test(wanted)) return parseInt(wanted, 8);
  return wanted.split(',').reduce((mode, clause) => applyClause(mode, clause, isDirectory), current);
}

const shifts: Readonly<Record<string, number>> = {u: 6, g: 3, o: 0};

function applyClause(start: number, clause: string, isDirectory: boolean): number {
  const [, who = '', actions = ''] = /^([ugoa]*)(.*)$/.exec(clause) ?? [];
  const whom = who === '' || who.includes('a') ? ['u', 'g', 'o'] : [...new Set(who)];
  let mode = start;
  for (const [, operator, letters = ''] of actions.matchAll(/([-+=])([rwxXstugo]*)/g)) {
    for (const target of whom) {
      const shift = shifts[target]!;
      const special = target === 'u' ? 0o4000 : target === 'g' ? 0o2000 : 0;
      let bits = 0;
      for (const letter of letters) {
        if (letter === 'r') bits |= 4 << shift;
        if (letter === 'w') bits |= 2 << shift;
        if (letter === 'x' || (letter === 'X' && (isDirectory || (mode & 0o111) !== 0))) bits |= 1 << shift;
        if (letter === 's') bits |= special;
        if (letter === 't') bits |= 0o1000;
        if (letter in shifts) bits |= ((mode >> shifts[letter]!) & 7) << shift;
      }
      const own =
        (7 << shift) | (isDirectory ? 0 : special) | (letters.includes('t') || who === 'a' || who === '' ? 0o1000 : 0);
      if (operator === '+') mode |= bits;
      else if (operator === '-') mode &= ~bits;
      else mode = (mode & ~own) | bits;
    }
  }
  return mode & 0o7777;
}
