// What the parts of the loader hand to each other: where they are in the site, and what surrounds them.
import {error, warning} from '../base/diagnostic.ts';
import type {Diagnostic, Span} from '../base/diagnostic.ts';
import type {Catalog} from '../catalog/catalog.ts';
import {nearestName} from '../base/nearest.ts';
import {checkControl} from './control.ts';
import {checkKeyword, given, variablesIn} from './keywords.ts';
import type {KeywordKind} from './keyword-table.ts';
import {child} from './node.ts';
import type {MapNode, Node} from './node.ts';
import type {Item, Keywords, RoleContext, VarsLayer} from './program.ts';
import type {YamlFiles} from './yaml-files.ts';

/** What is being gathered for one play while it is read. */
export type PlayDraft = {
  /** folder of the playbook file */
  readonly folder: string;
  readonly handlers: Item[];
  /** defaults and vars of all roles that the play names, which all of its tasks see */
  readonly exposed: VarsLayer[];
  /** lists of layers that get `exposed` in front once the play has been read */
  readonly layerLists: Set<VarsLayer[]>;
  /** roles that were run already, with their parameters: a role runs once */
  readonly ran: Set<string>;
  /** the play has been read: what is loaded now is loaded while it runs */
  finished: boolean;
};

/** Where a mapping stands, and what it inherits. */
export type Place = {
  readonly files: YamlFiles;
  readonly catalog: Catalog;
  readonly rolePaths: readonly string[];
  readonly report: (problem: Diagnostic) => void;
  readonly play: PlayDraft;
  /** folder of the file being read */
  readonly folder: string;
  readonly keywords: Keywords;
  readonly vars: readonly VarsLayer[];
  readonly role: RoleContext | undefined;
  /** `module_defaults`, outermost first */
  readonly moduleDefaults: readonly Node[];
  /** files and roles that are being read, outermost first, against cycles */
  readonly stack: readonly string[];
  /** files that are being read only when a condition or a loop says so may come back to themselves */
  readonly conditional: boolean;
  /** reads a list of tasks and blocks */
  readonly readItems: (node: Node | undefined, place: Place) => readonly Item[];
};

/** Keys of a mapping that nobody knows, and values that a key cannot have. `ours`: further keys that are fine. */
export function checkKeys(
  map: MapNode,
  keys: Readonly<Record<string, KeywordKind>>,
  what: string,
  report: (problem: Diagnostic) => void,
  ours: (key: string) => boolean = () => false,
): void {
  for (const entry of map.entries) {
    const kind = Object.hasOwn(keys, entry.key) ? keys[entry.key] : undefined;
    if (kind === 'control' && given(entry.value) !== undefined) checkControl(entry.value, report);
    else if (kind !== undefined) checkKeyword(entry, kind, report);
    else if (!ours(entry.key)) report(unknownKey(entry.key, entry.keySpan, Object.keys(keys), what));
  }
}

/** `unknown-key`, with the nearest one. */
export function unknownKey(key: string, span: Span, known: Iterable<string>, what: string): Diagnostic {
  const near = nearestName(key, known);
  return error('unknown-key', `${what} has no key ${key}`, {
    span,
    ...(near === undefined ? {} : {help: `did you mean ${near}?`}),
  });
}

/** Names accepted for playbooks' sake that change nothing here; each is said once where it stands. */
export function warnUnsupported(map: MapNode, report: (problem: Diagnostic) => void): void {
  for (const [key, why] of Object.entries(withoutEffect)) {
    const entry = map.entries.find((e) => e.key === key);
    if (entry !== undefined) report(warning('no-effect', `${key} has no effect: ${why}`, {span: entry.keySpan}));
  }
  const poll = map.entries.find((e) => e.key === 'poll');
  if (poll?.value.kind === 'scalar' && poll.value.value === 0)
    report(warning('no-effect', 'poll: 0 has no effect: the command is waited for', {span: poll.keySpan}));
}

const withoutEffect: Readonly<Record<string, string>> = {
  debugger: 'there is no debugger',
  become_exe: 'the program is found on the fixed search path',
  become_flags: 'the program is called without further options',
};

/** The place inside a mapping's `vars:` (added as a layer) and `module_defaults:`. */
export function withVars(place: Place, map: MapNode, kind: VarsLayer['kind']): Place {
  const values = variablesIn(child(map, 'vars'));
  const defaults = child(map, 'module_defaults');
  return {
    ...place,
    ...(values.size === 0 ? {} : {vars: layered(place, {kind, values})}),
    ...(defaults === undefined ? {} : {moduleDefaults: [...place.moduleDefaults, defaults]}),
  };
}

/** The layers of a place with one more inside. */
export function layered(place: Place, ...layers: readonly VarsLayer[]): readonly VarsLayer[] {
  return keepList(place.play, [...place.vars, ...layers]);
}

/** Makes sure that a list of layers gets the roles' exposed ones in front when the play has been read. */
export function keepList(play: PlayDraft, list: VarsLayer[]): VarsLayer[] {
  if (!play.finished) play.layerLists.add(list);
  return list;
}
