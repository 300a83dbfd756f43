// Three hundred names in a row tell nobody anything: neighbours are written as the inventory's ranges, and the rest is counted.

type Part = {readonly text: string; readonly count: number};

/** Names in their order, runs of at least three neighbours as `web[01:20].example.org`; what is beyond `max` parts is counted. */
export function hostList(names: readonly string[], max = 12): string {
  const parts = rangesOf(names);
  if (parts.length <= max) return parts.map(({text}) => text).join(', ');
  const shown = parts.slice(0, max - 1);
  const rest = names.length - shown.reduce((sum, {count}) => sum + count, 0);
  return `${shown.map(({text}) => text).join(', ')} and ${rest} more`;
}

function rangesOf(names: readonly string[]): readonly Part[] {
  const parts: Part[] = [];
  for (let at = 0; at < names.length;) {
    const first = numbered(names[at]!);
    let length = 1;
    if (first !== undefined) while (names[at + length] === neighbour(first, length)) length++;
    const {text, count} =
      first !== undefined && length >= 3
        ? {text: `${first.before}[${first.digits}:${padded(first, length - 1)}]${first.after}`, count: length}
        : {text: names[at]!, count: 1};
    parts.push({text, count});
    at += count;
  }
  return parts;
}

type Numbered = {readonly before: string; readonly digits: string; readonly after: string};

/** The number that neighbours differ in: one of a name's first label, or the last of an address. */
function numbered(name: string): Numbered | undefined {
  const match = /^(.*?)(\d{1,15})(\D*)$/.exec(name);
  if (match === null) return undefined;
  const inLabel = /^([^.]*?)(\d{1,15})(\D[^.]*\..*|\..*)$/.exec(name);
  const [, before = '', digits = '', after = ''] = /[a-z]/i.test(name) ? (inLabel ?? match) : match;
  return {before, digits, after};
}

function padded({digits}: Numbered, by: number): string {
  return String(Number(digits) + by).padStart(digits.length, '0');
}

function neighbour(first: Numbered, by: number): string {
  return `${first.before}${padded(first, by)}${first.after}`;
}
