import {isMapping} from '../base/json.ts';
import {Secret} from '../base/secret.ts';
import {fits} from './lenient.ts';
import type {ControllerFile, Kind, Params, Rendered} from './schema.ts';

type Settings = Readonly<Record<string, unknown>>;

type Within = {
  readonly file: (path: string, folder: string) => ControllerFile;
  readonly template: (path: string) => Rendered;
};

/** How the controller's files get into values; the engine has the search path and the variables. */
export type Resolver = {
  /** `settings`: the other parameters, in which a module may say how the file is to be read (`decrypt`) */
  readonly file: (path: string, folder: string, settings: Settings) => ControllerFile;
  readonly template: (path: string, settings: Settings) => Rendered;
};

/**
 * Turns judged plain values into what modules get: Secret, normalised paths, controller files, defaults. `original` is the value before
 * it was made plain, so that text with secret ranges keeps exactly those ranges.
 */
export function wrapParams(
  params: Params,
  plain: Readonly<Record<string, unknown>>,
  original: Readonly<Record<string, unknown>>,
  resolve: Resolver | Within,
): Record<string, unknown> {
  const values: Record<string, unknown> = {};
  for (const [name, param] of Object.entries(params)) {
    const spelled = [name, ...param.aliases].find((n) => original[n] !== undefined && original[n] !== null);
    const value = plain[name] ?? (param.need === 'default' ? param.default : undefined);
    values[name] =
      value === undefined || value === null
        ? undefined
        : wrapKind(param.kind, value, spelled === undefined ? value : original[spelled], {
            file: (path, folder) => resolve.file(path, folder, plain),
            template: (path) => resolve.template(path, plain),
          });
  }
  return values;
}

function wrapKind(kind: Kind, plain: unknown, original: unknown, resolve: Within): unknown {
  switch (kind.kind) {
    case 'secret':
      return original instanceof Secret && original.pieces().join('') === plain ? original : Secret.of(plain as string);
    case 'text':
      return original instanceof Secret ? original : plain;
    case 'any':
      return original;
    case 'path':
      return normalisePath(plain as string);
    case 'list': {
      const originals: readonly unknown[] = Array.isArray(original) ? original : [original];
      const elements = plain as readonly unknown[];
      return elements.map((element, i) =>
        wrapKind(kind.of, element, originals.length === elements.length ? originals[i] : element, resolve),
      );
    }
    case 'object':
      return wrapParams(kind.params, plain as Record<string, unknown>, isMapping(original) ? original : {}, resolve);
    case 'map':
      return Object.fromEntries(
        Object.entries(plain as Record<string, unknown>).map(([k, v]) => [
          k,
          wrapKind(kind.of, v, isMapping(original) ? original[k] : v, resolve),
        ]),
      );
    case 'either': {
      const fitting = kind.of.find((k) => fits(k, plain));
      return fitting === undefined ? plain : wrapKind(fitting, plain, original, resolve);
    }
    case 'controllerFile':
      return kind.arguments === true
        ? commandFile(plain as string, original, (path) => resolve.file(path, kind.folder))
        : resolve.file(plain as string, kind.folder);
    case 'template':
      return resolve.template(plain as string);
    default:
      return plain;
  }
}

/** A file of the controller with arguments behind it; quotes keep blanks in its path. */
function commandFile(line: string, original: unknown, find: (path: string) => ControllerFile): ControllerFile {
  const [whole = '', , quoted, bare = ''] = /^\s*(?:(["'])(.*?)\1|(\S+))\s*/s.exec(line) ?? [];
  const rest = original instanceof Secret ? original.slice(whole.length) : line.slice(whole.length);
  return {...find(quoted ?? bare), arguments: rest};
}

/** Removes `//`, `/./` and a trailing slash; `..` stays, since a symlink may give it another meaning. */
export function normalisePath(path: string): string {
  const clean = path.replace(/\/(\.?\/)+/g, '/').replace(/\/\.$/, '/');
  return clean.length > 1 ? clean.replace(/\/$/, '') : clean;
}
