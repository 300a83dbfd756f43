// What is sealed in a plan. The clear part is for people; only this is applied.
import type {Once} from '../engine/plan-recorder.ts';
import type {FileAnswer} from '../playbook/disk.ts';
import type {SiteOptions} from '../playbook/site.ts';

/** A host's decisions, packed (`src/store/plan-codec.ts`). `unfit`: why nothing of them can be applied. */
export type PlannedHost = {
  readonly steps: readonly (readonly [place: string, step: unknown])[];
  readonly evaluations: readonly (readonly [place: string, value: unknown])[];
  readonly recalled: readonly string[];
  readonly ends: readonly (readonly [place: string, witnesses: readonly (string | null)[]])[];
  readonly unfit?: string;
};

export type KeptOptions = Pick<
  SiteOptions,
  | 'playbooks'
  | 'inventories'
  | 'cwd'
  | 'extraVars'
  | 'limit'
  | 'tags'
  | 'skipTags'
  | 'startAtTask'
  | 'modulePaths'
  | 'rolePaths'
>;

/** Everything that applying needs. */
export type PlanContent = {
  /** digests of the clear lines */
  readonly lines: readonly string[];
  readonly site: KeptOptions;
  /** the command line's options on connections */
  readonly options: Readonly<Record<string, unknown>>;
  /** to questions of `vars_prompt`; the values are packed */
  readonly answers: readonly {readonly play: number; readonly name: string; readonly value: unknown}[];
  /** the site's files, as they were read */
  readonly files: Readonly<Record<string, FileAnswer>>;
  /** the site's own modules that take part */
  readonly modules: Readonly<Record<string, {readonly file: string; readonly sha256: string}>>;
  readonly onces: readonly Once[];
  readonly hosts: Readonly<Record<string, PlannedHost>>;
  readonly texts: readonly string[];
  readonly blobs: readonly string[];
};

/** The part of a site's options that belongs to the plan. */
export function keptOptions(options: SiteOptions): KeptOptions {
  const {playbooks, inventories, cwd, extraVars, limit, tags, skipTags, startAtTask, modulePaths, rolePaths} = options;
  return {
    playbooks,
    inventories,
    cwd,
    ...(extraVars && {extraVars}),
    ...(limit && {limit}),
    ...(tags && {tags}),
    ...(skipTags && {skipTags}),
    ...(startAtTask !== undefined && {startAtTask}),
    ...(modulePaths && {modulePaths}),
    ...(rolePaths && {rolePaths}),
  };
}
