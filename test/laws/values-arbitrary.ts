// Parameters that somebody might write: the examples' with some left out, others added, and values that are odd for their kind.
import fc from 'fast-check';
import {Secret} from '../../src/base/secret.ts';
import type {ControllerFile, Kind, Module, Params} from '../../src/kit/index.ts';
import type {Resolver} from '../../src/kit/wrap.ts';
import {exampleParams} from './every-module.ts';

const words = [
  'root',
  'a',
  'daemon',
  'qemu',
  'x y',
  "it's",
  'ssh',
  '-rf',
  '$(id)',
  '`id`',
  '%h',
  'ä',
  '1.0',
  '"',
  '\\1',
  '*',
];
const paths = [
  '/srv/example',
  '/',
  '/etc/motd',
  '/srv/a b',
  "/srv/it's",
  '/etc/../srv/x',
  '/dev/vg/lv',
  '/srv/-n',
  '/srv/*',
];
const texts = ['', 'one', 'one\ntwo\n', '\n', 'a\r\nb\r\n', '^a', '(', '[a', '{{ no }}', '\\', 'x'.repeat(300)];
const modes = ['0644', '0755', '4755', 'u=rw,g=r,o=', 'a+x', 'u+s', 'preserve'];

let serial = 0;
/** Text that stands nowhere else, so that finding it means that a secret got there. */
export function unmistakable(): string {
  return `Geheim#${(serial++).toString(36)}:q'w"e`;
}

/** A plain value for a kind; secrets and some texts as {@link Secret}. */
function valueOf(kind: Kind): fc.Arbitrary<unknown> {
  switch (kind.kind) {
    case 'string':
      return fc.oneof(fc.constantFrom(...words), fc.constantFrom(...paths), fc.stringMatching(/^[a-z0-9_.-]{1,12}$/));
    case 'text':
      return fc.oneof(
        fc.constantFrom(...texts, ...words),
        fc.constant(undefined).map(() => Secret.of(unmistakable())),
        fc.constant(undefined).map(() => Secret.join(['open ', Secret.of(unmistakable()), ' open\n'])),
      );
    case 'secret':
      return fc.constant(undefined).map(() => Secret.of(unmistakable()));
    case 'boolean':
      return fc.boolean();
    case 'integer':
    case 'number':
      return fc.integer({min: kind.min ?? -5, max: kind.max ?? 100_000});
    case 'mode':
      return fc.constantFrom(...modes);
    case 'path':
      return fc.constantFrom(...paths);
    case 'choice':
      return fc.constantFrom(...kind.values);
    case 'list':
      return fc.array(valueOf(kind.of), {minLength: kind.nonEmpty === true ? 1 : 0, maxLength: 3});
    case 'object':
      return paramsOf(kind.params);
    case 'map':
      return fc.dictionary(fc.constantFrom('a', 'spice_tls', 'PATH', 'k_1'), valueOf(kind.of), {maxKeys: 3});
    case 'any':
      return fc.oneof(fc.constantFrom(...words), fc.integer(), fc.boolean(), fc.constant(['a', 'b']));
    case 'controllerFile':
    case 'template':
      return fc.constantFrom('small', 'binary', 'folder', 'missing');
    case 'either':
      return fc.oneof(...kind.of.map(valueOf));
  }
}

function paramsOf(params: Params): fc.Arbitrary<Record<string, unknown>> {
  const names = Object.keys(params);
  return fc.record(Object.fromEntries(names.map((name) => [name, valueOf(params[name]!.kind)])), {
    requiredKeys: names.filter((name) => params[name]!.need === 'required'),
  });
}

/** Parameters for a module, many of them near its examples. Not all of them make sense: binding says so. */
export function paramsFor(module: Module): fc.Arbitrary<Record<string, unknown>> {
  const examples = exampleParams(module).map((given) => withSecrets(module.params, given));
  const near = fc
    .record({
      base: fc.constantFrom(...examples),
      drop: fc.array(fc.nat(), {maxLength: 2}),
      add: paramsOf(module.params),
      keep: fc.array(fc.nat(), {maxLength: 2}),
    })
    .map(({base, drop, add, keep}) => {
      const made = {...base};
      const added = Object.keys(add);
      if (added.length > 0)
        for (const n of keep) {
          const name = added[n % added.length]!;
          made[name] = add[name];
        }
      for (const n of drop) {
        const names = Object.keys(made).filter((name) => module.params[name]?.need !== 'required');
        if (names.length > 0) Reflect.deleteProperty(made, names[n % names.length]!);
      }
      return made;
    });
  return fc.oneof(
    {weight: 1, arbitrary: fc.constantFrom(...examples)},
    {weight: 4, arbitrary: near},
    {
      weight: 2,
      arbitrary: paramsOf(module.params),
    },
  );
}

/** An example's parameters, its secrets replaced by unmistakable ones. */
export function withSecrets(params: Params, given: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(given).map(([name, value]) => [
      name,
      params[name] === undefined ? value : hide(params[name].kind, value),
    ]),
  );
}

function hide(kind: Kind, value: unknown): unknown {
  if (kind.kind === 'secret') return Secret.of(unmistakable());
  if (kind.kind === 'list' && Array.isArray(value)) return value.map((element) => hide(kind.of, element));
  if (kind.kind === 'object' && typeof value === 'object' && value !== null)
    return withSecrets(kind.params, value as Record<string, unknown>);
  return value;
}

const bytes = new TextEncoder();
const blobOf = (content: Uint8Array) => ({blob: '/controller/file', sha256: 'f'.repeat(64), sizeBytes: content.length});

/** A controller with a small file, a binary one, a folder and nothing else. */
export const controller: Resolver = {
  file: (path): ControllerFile => {
    const small = bytes.encode('hello\n');
    if (path === 'missing') return {type: 'missing', path, searched: [`/site/files/${path}`]};
    if (path !== 'folder') {
      const content = path === 'binary' ? Uint8Array.of(0, 255, 10) : small;
      return {type: 'file', path: `/site/${path}`, blob: blobOf(content), bytes: content, mode: '0640'};
    }
    return {
      type: 'directory',
      path: '/site/folder',
      entries: [
        {relative: 'sub', type: 'directory', mode: '0755'},
        {relative: 'sub/file', type: 'file', mode: '0644', blob: blobOf(small), bytes: small},
        {relative: 'link', type: 'link', mode: '0777', target: 'sub/file'},
      ],
    };
  },
  template: (path) => ({
    path: `/site/templates/${path}`,
    text: Secret.join(['hello ', Secret.of(unmistakable()), '\n']),
  }),
};
