// A module file is imported when a playbook names it, never before: start-up pays for what is used. `require` of ES modules is synchronous,
// so that loading a playbook stays a plain function. Users' modules import 'tsplay/kit' with nothing installed beside them: a hook leads that to our kit.
import {createRequire, registerHooks} from 'node:module';
import {readFileSync} from 'node:fs';
import {basename, extname} from 'node:path';
import {pathToFileURL} from 'node:url';
import {error} from '../base/diagnostic.ts';
import type {Diagnostic, Source} from '../base/diagnostic.ts';
import {isMapping} from '../base/json.ts';
import {bad, ok} from '../base/result.ts';
import type {Result} from '../base/result.ts';
import {schemaOfParams} from '../kit/json-schema.ts';
import type {Module} from '../kit/module.ts';
import type {Kind, Params} from '../kit/schema.ts';
import {guardModule} from './guard-module.ts';

const require = createRequire(import.meta.url);
const ownExtension = extname(import.meta.url);
const kitUrl = new URL(`../kit/index${ownExtension}`, import.meta.url).href;
const siteFiles = new Set<string>();
let hooked = false;

/** Makes `tsplay/kit` resolvable from anywhere, once per process. */
function hookKit(): void {
  if (hooked) return;
  hooked = true;
  registerHooks({
    resolve(specifier, context, next) {
      if (specifier === 'tsplay/kit') return {url: kitUrl, shortCircuit: true};
      const found = next(specifier, context);
      // a folder without package.json says nothing about the kind of its modules; ours are always ES modules
      return siteFiles.has(found.url)
        ? {...found, format: found.url.endsWith('.ts') ? 'module-typescript' : 'module'}
        : found;
    },
  });
}

/**
 * Imports a module file and checks what its author promises. *errors*: `bad-module`, located in the module's file.
 * @param own whether it is one of the package's own modules, which the tests have checked already
 */
export function importModule(path: string, shown: string, own: boolean): Result<Module> {
  if (!own) {
    hookKit();
    siteFiles.add(pathToFileURL(path).href);
  }
  let exported: unknown;
  try {
    exported = require(path);
  } catch (cause) {
    const message = cause instanceof Error ? (cause.message.split('\n')[0] ?? cause.name) : String(cause);
    return bad(faultIn(path, shown, undefined, `the module cannot be loaded: ${message}`));
  }
  const spec: unknown = isMapping(exported) || isNamespace(exported) ? exported['default'] : undefined;
  const name = basename(path).replace(/\.[cm]?[jt]s$/, '');
  const fault = own ? undefined : faultOf(spec, name);
  return fault === undefined
    ? ok(guardModule(spec as Module, shown, own))
    : bad(faultIn(path, shown, fault.at, fault.message, fault.help));
}

function isNamespace(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && 'default' in value;
}

type Fault = {readonly at: string; readonly message: string; readonly help?: string};

/** What is wrong with what a module file exports. */
export function faultOf(spec: unknown, name: string): Fault | undefined {
  const help = `export default defineModule({name: '${name}', …})`;
  if (!isMapping(spec)) return {at: 'export', message: 'a module exports its definition as default', help};
  if (spec['name'] !== name) {
    return {at: 'name', message: `the module calls itself "${String(spec['name'])}", but its file is ${name}`, help};
  }
  if (typeof spec['summary'] !== 'string' || spec['summary'] === '')
    return {at: 'defineModule', message: 'the module has no summary'};
  for (const part of ['probe', 'plan']) {
    if (typeof spec[part] !== 'function') return {at: 'defineModule', message: `the module has no ${part} function`};
  }
  const {examples} = spec;
  if (!Array.isArray(examples) || examples.length === 0 || !examples.every((e) => typeof e === 'string')) {
    return {
      at: 'examples',
      message: 'the module has no examples',
      help: 'examples are shown by `tsplay doc` and executed by the tests',
    };
  }
  if (!isMapping(spec['params'])) return {at: 'defineModule', message: 'the module has no params'};
  const {freeForm} = spec;
  if (freeForm !== undefined && !(typeof freeForm === 'string' && Object.hasOwn(spec['params'], freeForm)))
    return {at: 'freeForm', message: 'freeForm names no parameter'};
  return faultInParams(spec['params'] as Params, '') ?? faultInSchema(spec['params'] as Params);
}

/** The parameters' JSON Schema is published for editors and scripts, so it has to compile in ajv's strict mode. */
function faultInSchema(params: Params): Fault | undefined {
  try {
    // only sites with modules of their own pay for loading ajv
    const {Ajv} = require('ajv') as typeof import('ajv');
    new Ajv({strict: true, allErrors: true}).compile(schemaOfParams(params));
    return undefined;
  } catch (cause) {
    return {at: 'params', message: `the parameters make no valid JSON Schema: ${(cause as Error).message}`};
  }
}

function faultInParams(params: Params, path: string): Fault | undefined {
  for (const [name, param] of Object.entries(params)) {
    if (!isMapping(param) || !isMapping(param.kind))
      return {at: name, message: `${path}${name}: a parameter is declared with the builders of \`p\``};
    const fault = faultInKind(param.kind, `${path}${name}`, name);
    if (fault !== undefined) return fault;
  }
  return undefined;
}

function faultInKind(kind: Kind, path: string, at: string): Fault | undefined {
  switch (kind.kind) {
    case 'string':
      try {
        if (kind.pattern !== undefined) new RegExp(kind.pattern, 'u');
      } catch (cause) {
        return {at, message: `${path}: ${(cause as Error).message}`};
      }
      return undefined;
    case 'choice':
      return kind.values.length > 0 ? undefined : {at, message: `${path}: a choice needs at least one value`};
    case 'list':
    case 'map':
      return faultInKind(kind.of, path, at);
    case 'either':
      return kind.of.map((k) => faultInKind(k, path, at)).find((fault) => fault !== undefined);
    case 'object':
      return faultInParams(kind.params, `${path}.`);
    default:
      return undefined;
  }
}

function faultIn(path: string, shown: string, at: string | undefined, message: string, help?: string): Diagnostic {
  let text = '';
  try {
    text = readFileSync(path, 'utf8');
  } catch {
    // the message says already that it cannot be loaded
  }
  const source: Source = {path: shown, text};
  const found = at === undefined ? -1 : text.search(new RegExp(`\\b${at}\\b`));
  const start = Math.max(0, found);
  const span = {source, start, end: found < 0 ? Math.min(1, text.length) : start + (at?.length ?? 0)};
  return error('bad-module', message, {span, ...(help === undefined ? {} : {help})});
}
