/** How many single-character edits (insert, delete, replace, swap of neighbours) lead from one word to the other. */
export function editDistance(a: string, b: string): number {
  let beforeLast: number[] = [];
  let last = Array.from({length: b.length + 1}, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const cost = a[i - 1] === b[j - 1] ? 0 : 1;
      let best = Math.min((last[j] ?? 0) + 1, (row[j - 1] ?? 0) + 1, (last[j - 1] ?? 0) + cost);
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) {
        best = Math.min(best, (beforeLast[j - 2] ?? 0) + 1);
      }
      row.push(best);
    }
    beforeLast = last;
    last = row;
  }
  return last[b.length] ?? 0;
}

/**
 * The known name that was probably meant, for "did you mean"; undefined when nothing is close enough
 * (one edit for every three characters, at least one).
 */
export function nearestName(name: string, known: Iterable<string>): string | undefined {
  const lower = name.toLowerCase();
  let best: string | undefined;
  let bestStrange = Infinity;
  let bestDistance = Math.max(1, Math.floor(name.length / 3));
  for (const candidate of known) {
    if (candidate === name || Math.abs(candidate.length - name.length) > bestDistance) continue;
    const other = candidate.toLowerCase();
    const distance = other === lower ? 0 : editDistance(lower, other);
    if (distance > bestDistance) continue;
    // of words of one or two letters any other one is near, unless it goes on with them
    if (distance > 0 && name.length <= distance + 1 && (name.length < 2 || !other.startsWith(lower))) continue;
    const strange = strangeLetters(lower, other);
    if (distance < bestDistance || best === undefined || strange < bestStrange) {
      best = candidate;
      bestDistance = distance;
      bestStrange = strange;
    }
  }
  return best;
}

/** How many letters only one of the two words has: a letter left out is likelier than another one in its place (`taks` is `tasks`, not `tags`). */
function strangeLetters(a: string, b: string): number {
  const rest = Array.from(b);
  let strange = 0;
  for (const letter of a) {
    const at = rest.indexOf(letter);
    if (at < 0) strange++;
    else rest.splice(at, 1);
  }
  return strange + rest.length;
}
