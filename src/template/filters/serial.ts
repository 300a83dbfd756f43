// Filters that read and write JSON and YAML.
import {isFlagged} from '../boolean.ts';
import {truth} from '../compare.ts';
import type {Filter} from '../environment.ts';
import {Misuse} from '../fault.ts';
import {COMPACT, fromJson, toJson} from '../json.ts';
import {fromYaml, fromYamlAll} from '../yaml-read.ts';
import {toYaml, type YamlStyle} from '../yaml-write.ts';
import type {Named} from '../values.ts';
import {plain} from './text.ts';

function size(value: unknown, fallback: number): number {
  const count = value === undefined || value === null ? fallback : Number(value);
  if (!(count >= 0 && count <= 100)) throw new Misuse('indent must be between 0 and 100', 'bad-argument');
  return count;
}

function separators(value: unknown, fallback: readonly [string, string]): readonly [string, string] {
  return Array.isArray(value) && value.length === 2 ? [plain(value[0]), plain(value[1])] : fallback;
}

function json(value: unknown, named: Named, nice: boolean, indentGiven?: unknown, sortGiven?: unknown): string {
  const indent = indentGiven ?? named.get('indent');
  const sort = sortGiven ?? named.get('sort_keys');
  const lines = nice || (indent !== undefined && indent !== null);
  const ascii = named.get('ensure_ascii');
  return toJson(value, {
    indent: lines ? size(indent, 4) : undefined,
    sortKeys: sort === undefined ? nice : truth(sort),
    ascii: ascii === undefined || truth(ascii),
    separators: separators(named.get('separators'), lines ? [',', ': '] : COMPACT.separators),
  });
}

function yaml(value: unknown, named: Named, nice: boolean, indent: unknown): string {
  const flow = named.get('default_flow_style');
  const style: YamlStyle = {
    indent: size(indent, nice ? 4 : 2),
    flow: flow === undefined || flow === null ? (nice ? 'never' : 'leaves') : truth(flow) ? 'always' : 'never',
    sortKeys: named.get('sort_keys') === undefined || isFlagged(named.get('sort_keys')),
    width: named.get('width') === undefined || named.get('width') === null ? 80 : Number(named.get('width')),
    unicode: named.get('allow_unicode') === undefined || isFlagged(named.get('allow_unicode')),
    explicitStart: isFlagged(named.get('explicit_start')),
    explicitEnd: isFlagged(named.get('explicit_end')),
  };
  return toYaml(value, style);
}

export const serialFilters: readonly (readonly [string, Filter])[] = [
  ['to_json', {params: ['**'], apply: (_site, value, named: Named) => json(value, named, false)}],
  [
    'to_nice_json',
    {
      params: ['indent', 'sort_keys', '**'],
      apply: (_site, value, indent: unknown, sort: unknown, named: Named) => json(value, named, true, indent, sort),
    },
  ],
  [
    'tojson',
    {
      params: ['indent'],
      apply: (_site, value, indent?: unknown) =>
        json(
          value,
          new Map<string, unknown>([
            ['sort_keys', true],
            ...(indent === undefined ? [] : [['indent', indent] as const]),
          ]),
          false,
        )
          .replaceAll('<', '\\u003c')
          .replaceAll('>', '\\u003e')
          .replaceAll('&', '\\u0026')
          .replaceAll("'", '\\u0027'),
    },
  ],
  ['from_json', {params: [], apply: (_site, value) => fromJson(plain(value))}],
  ['to_yaml', {params: ['**'], apply: (_site, value, named: Named) => yaml(value, named, false, named.get('indent'))}],
  [
    'to_nice_yaml',
    {
      params: ['indent', '**'],
      apply: (_site, value, indent: unknown, named: Named) => yaml(value, named, true, indent),
    },
  ],
  ['from_yaml', {params: [], apply: (_site, value) => (value === null ? null : fromYaml(plain(value)))}],
  ['from_yaml_all', {params: [], apply: (_site, value) => (value === null ? [] : fromYamlAll(plain(value)))}],
];
