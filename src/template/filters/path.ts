// Filters on paths and URLs. Only POSIX paths; nothing but `realpath` and `expanduser` looks at a file system.
import {posix} from 'node:path';
import {elementsOf, textOf} from '../compare.ts';
import type {Filter, Site} from '../environment.ts';
import {Misuse} from '../fault.ts';
import {mappingOf} from '../mapping.ts';
import {Tuple} from '../values.ts';
import {plain} from './text.ts';

function basename(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1);
}

function dirname(path: string): string {
  const head = path.slice(0, path.lastIndexOf('/') + 1);
  return /^\/*$/.test(head) ? head : head.replace(/\/+$/, '');
}

function joined(parts: readonly string[]): string {
  return parts.reduce((path, part) =>
    part.startsWith('/') ? part : path === '' || path.endsWith('/') ? path + part : `${path}/${part}`,
  );
}

function splitExtension(path: string): Tuple {
  const name = basename(path);
  const dot = name.lastIndexOf('.');
  if (dot <= 0 || /^\.+$/.test(name.slice(0, dot + 1))) return Tuple.from_([path, '']);
  const cut = path.length - name.length + dot;
  return Tuple.from_([path.slice(0, cut), path.slice(cut)]);
}

function files(site: Site): NonNullable<Site['environment']['files']> {
  const {files: found} = site.environment;
  if (found === undefined) throw new Misuse('files of the controller cannot be read here', 'not-available');
  return found;
}

function expandUser(site: Site, path: string): string {
  const match = /^~([^/]*)(.*)$/s.exec(path);
  if (match === null) return path;
  const home = files(site).home(match[1] === '' ? undefined : match[1]);
  return home === undefined ? path : home.replace(/\/$/, '') + (match[2] ?? '') || '/';
}

function splitUrl(text: string, part: unknown): unknown {
  const match = /^(?:([A-Za-z][A-Za-z\d+.-]*):)?(?:\/\/([^/?#]*))?([^?#]*)(?:\?([^#]*))?(?:#([\s\S]*))?$/.exec(text);
  const [, scheme = '', netloc = '', path = '', query = '', fragment = ''] = match ?? [];
  const [, user, , host = '', port] = /^(?:([^@]*?)(:[^@]*)?@)?(\[[^\]]*\]|[^:]*)(?::(\d*))?$/.exec(netloc) ?? [];
  const password = /^[^@:]*:([^@]*)@/.exec(netloc)?.[1];
  const parts = new Map<string, unknown>([
    ['fragment', fragment],
    ['hostname', host === '' ? null : host.replace(/^\[|\]$/g, '').toLowerCase()],
    ['netloc', netloc],
    ['password', password ?? null],
    ['path', path],
    ['port', port === undefined || port === '' ? null : Number(port)],
    ['query', query],
    ['scheme', scheme.toLowerCase()],
    ['username', user ?? null],
  ]);
  if (part === undefined || plain(part) === '') return mappingOf(parts);
  const wanted = plain(part);
  if (!parts.has(wanted))
    throw new Misuse(
      `urlsplit: unknown URL component "${wanted}"`,
      'bad-argument',
      `one of ${[...parts.keys()].join(', ')}`,
    );
  return parts.get(wanted);
}

function normalized(path: string): string {
  const out = posix.normalize(path);
  return out.length > 1 ? out.replace(/\/$/, '') : out;
}

export const pathFilters: readonly (readonly [string, Filter])[] = [
  ['basename', {params: [], apply: (_site, value) => basename(plain(value))}],
  ['dirname', {params: [], apply: (_site, value) => dirname(plain(value))}],
  ['splitext', {params: [], apply: (_site, value) => splitExtension(plain(value))}],
  ['normpath', {params: [], apply: (_site, value) => normalized(plain(value))}],
  [
    'path_join',
    {
      params: [],
      apply: (_site, value) => (textOf(value) === undefined ? joined(elementsOf(value).map(plain)) : plain(value)),
    },
  ],
  [
    'commonpath',
    {
      params: [],
      apply: (_site, value) => {
        const paths = elementsOf(value).map((path) => plain(path).split('/'));
        const [first = []] = paths;
        let count = 0;
        while (count < first.length && paths.every((path) => path[count] === first[count])) count++;
        return first.slice(0, count).join('/') || (first[0] === '' ? '/' : '');
      },
    },
  ],
  [
    'relpath',
    {
      params: ['start'],
      apply: (site, value, start?: unknown) => {
        const [path, from] = [plain(value), start === undefined ? undefined : plain(start)];
        const needsCwd = from === undefined || path.startsWith('/') !== from.startsWith('/');
        const base = needsCwd ? files(site).cwd() : '/';
        return posix.relative(posix.resolve(base, from ?? '.'), posix.resolve(base, path)) || '.';
      },
    },
  ],
  ['realpath', {params: [], apply: (site, value) => files(site).realpath(plain(value))}],
  ['expanduser', {params: [], apply: (site, value) => expandUser(site, plain(value))}],
  ['urlsplit', {params: ['query'], apply: (_site, value, part?: unknown) => splitUrl(plain(value), part)}],
];
