// Comparing version numbers as Ansible's `version` test does.
import {Misuse} from './fault.ts';

type Part = number | string;

/** `distutils.version.LooseVersion`: runs of digits are numbers, everything else is text. */
function loose(version: string): Part[] {
  return version
    .split(/(\d+|[a-z]+|\.)/)
    .filter((part) => part !== '' && part !== '.')
    .map((part) => (/^\d+$/.test(part) ? Number(part) : part));
}

function compareParts(a: readonly Part[], b: readonly Part[]): number {
  for (let i = 0; i < Math.min(a.length, b.length); i++) {
    const [x = 0, y = 0] = [a[i], b[i]];
    if (x === y) continue;
    if (typeof x !== typeof y)
      throw new Misuse(`the versions cannot be compared: ${String(x)} with ${String(y)}`, 'bad-version');
    return x < y ? -1 : 1;
  }
  return a.length - b.length;
}

const STRICT = /^(\d+)\.(\d+)(?:\.(\d+))?(?:([ab])(\d+))?$/;

function strict(version: string): Part[] {
  const match = STRICT.exec(version);
  if (match === null) throw new Misuse(`invalid version number '${version}'`, 'bad-version');
  // a release comes after its alphas and betas
  return [Number(match[1]), Number(match[2]), Number(match[3] ?? 0), match[4] ?? 'z', Number(match[5] ?? 0)];
}

const SEMANTIC = /^(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)(?:-([\da-zA-Z.-]+))?(?:\+([\da-zA-Z.-]+))?$/;

function compareSemantic(a: string, b: string): number {
  const parse = (version: string): {core: number[]; pre: string[]} => {
    const match = SEMANTIC.exec(version);
    if (match === null) throw new Misuse(`invalid semantic version '${version}'`, 'bad-version');
    return {core: [Number(match[1]), Number(match[2]), Number(match[3])], pre: match[4]?.split('.') ?? []};
  };
  const [x, y] = [parse(a), parse(b)];
  const core = compareParts(x.core, y.core);
  if (core !== 0) return core;
  if (x.pre.length === 0 || y.pre.length === 0) return y.pre.length - x.pre.length;
  for (let i = 0; i < Math.min(x.pre.length, y.pre.length); i++) {
    const [p = '', q = ''] = [x.pre[i], y.pre[i]];
    if (p === q) continue;
    const [pn, qn] = [/^\d+$/.test(p), /^\d+$/.test(q)];
    if (pn && qn) return Number(p) - Number(q);
    if (pn !== qn) return pn ? -1 : 1;
    return p < q ? -1 : 1;
  }
  return x.pre.length - y.pre.length;
}

const PEP440 =
  /^v?(?:(\d+)!)?(\d+(?:\.\d+)*)(?:[-_.]?(a|b|c|rc|alpha|beta|pre|preview)[-_.]?(\d*))?(?:-(\d+)|[-_.]?(post|rev|r)[-_.]?(\d*))?(?:[-_.]?(dev)[-_.]?(\d*))?(?:\+([a-z\d]+(?:[-_.][a-z\d]+)*))?$/i;

function comparePep440(a: string, b: string): number {
  const parse = (version: string): Part[][] => {
    const match = PEP440.exec(version.trim());
    if (match === null) throw new Misuse(`invalid version: '${version}'`, 'bad-version');
    const release = (match[2] ?? '').split('.').map(Number);
    while (release.length > 1 && release.at(-1) === 0) release.pop();
    const letter =
      {alpha: 'a', beta: 'b', c: 'rc', pre: 'rc', preview: 'rc'}[(match[3] ?? '').toLowerCase()] ??
      (match[3] ?? '').toLowerCase();
    const isPost = match[5] !== undefined || match[6] !== undefined;
    const isDev = match[8] !== undefined;
    const pre: Part[] =
      match[3] !== undefined ? [letter, Number(match[4] ?? 0)] : isDev && !isPost ? ['', 0] : ['z', 0];
    const post = isPost ? Number(match[5] ?? (match[7] === '' ? 0 : match[7])) : -1;
    const dev = isDev ? Number(match[9] === '' ? 0 : match[9]) : Infinity;
    return [[Number(match[1] ?? 0)], release, pre, [post], [dev]];
  };
  const [x, y] = [parse(a), parse(b)];
  for (let i = 0; i < x.length; i++) {
    const result = compareParts(x[i] ?? [], y[i] ?? []);
    if (result !== 0) return result;
  }
  return 0;
}

/** The order of two versions. `type`: loose (default), strict, semver, pep440. *errors*: Misuse. */
export function compareVersions(a: string, b: string, type: string): number {
  switch (type) {
    case 'loose':
      return compareParts(loose(a), loose(b));
    case 'strict':
      return compareParts(strict(a), strict(b));
    case 'semver':
    case 'semantic':
      return compareSemantic(a, b);
    case 'pep440':
      return comparePep440(a, b);
    default:
      throw new Misuse(`there is no version type "${type}"`, 'bad-argument', 'loose, strict, semver or pep440');
  }
}

const OPERATORS: Readonly<Record<string, (order: number) => boolean>> = {
  '==': (order) => order === 0,
  '=': (order) => order === 0,
  eq: (order) => order === 0,
  '<': (order) => order < 0,
  lt: (order) => order < 0,
  '<=': (order) => order <= 0,
  le: (order) => order <= 0,
  '>': (order) => order > 0,
  gt: (order) => order > 0,
  '>=': (order) => order >= 0,
  ge: (order) => order >= 0,
  '!=': (order) => order !== 0,
  '<>': (order) => order !== 0,
  ne: (order) => order !== 0,
};

/** Ansible's `version(b, operator)`. *errors*: Misuse. */
export function versionHolds(a: string, b: string, operator: string, type: string): boolean {
  const holds = Object.hasOwn(OPERATORS, operator) ? OPERATORS[operator] : undefined;
  if (holds === undefined)
    throw new Misuse(
      `"${operator}" does not compare versions`,
      'bad-argument',
      `one of ${Object.keys(OPERATORS).join(' ')}`,
    );
  if (b === '') throw new Misuse('the version to compare with is empty', 'bad-version');
  return holds(compareVersions(a, b, type));
}
