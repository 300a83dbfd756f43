// What a lookup is, and what it may use. Lookups read the controller: files, environment, programs. What they give is data, never a template.
import type {Result} from '../base/result.ts';
import type {Secret} from '../base/secret.ts';
import type {Unknown} from '../base/unknown.ts';
import type {ParseOptions} from '../template/template.ts';
import type {RunVariables} from './scope-layers.ts';

/** The place where a lookup is called. */
export type LookupSite = {
  /** a variable: undefined where there is none, an Undefined where its own text uses something undefined */
  readonly value: (name: string) => unknown;
  readonly names: () => Iterable<string>;
  readonly renderFile: (
    path: string,
    options?: ParseOptions & {readonly values?: Readonly<Record<string, unknown>>},
  ) => Result<string | Secret | Unknown>;
  /** where relative names are sought, the nearest first */
  readonly folders: readonly string[];
  /** folder of the playbook, in which programs run */
  readonly cwd: string;
  readonly run: RunVariables;
};

/** Named arguments of a lookup. */
export type Options = ReadonlyMap<string, unknown>;

/**
 * One lookup: a list of results for its terms (always a list; `lookup()` joins or unpacks it).
 * *errors*: throws a Misuse, which gets the place of the call.
 */
export type Lookup = (terms: readonly unknown[], options: Options, site: LookupSite) => readonly unknown[];
