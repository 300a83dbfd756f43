// `loop:` and the `with_…` forms, with `loop_control`.
import {error, warning} from '../base/diagnostic.ts';
import type {Diagnostic} from '../base/diagnostic.ts';
import {nearestName} from '../base/nearest.ts';
import {given, textOf} from './keywords.ts';
import {child} from './node.ts';
import type {Entry, MapNode, Node} from './node.ts';
import type {Loop} from './program.ts';

const controls = new Set(['loop_var', 'index_var', 'label', 'pause', 'extended', 'extended_allitems', 'break_when']);

/** A task's loop, if it has one. *errors*: `two-loops`, `bad-loop-control`, `unknown-key`. */
export function readLoop(task: MapNode, report: (problem: Diagnostic) => void): Loop | undefined {
  const entries = task.entries.filter(({key}) => key === 'loop' || /^with_[a-z]/.test(key));
  const [first, second] = entries;
  if (second !== undefined) {
    report(error('two-loops', `${second.key} beside ${first?.key ?? ''}: a task has one loop`, {span: second.keySpan}));
  }
  const control = given(child(task, 'loop_control'));
  if (first === undefined) {
    if (control !== undefined)
      report(warning('loop-control-without-loop', 'loop_control without a loop has no effect', {span: control.span}));
    return undefined;
  }
  const settings = control?.kind === 'map' ? control : undefined;
  for (const entry of settings?.entries ?? []) checkControl(entry, report);
  const name = (key: string): string | undefined => {
    const node = given(child(settings, key));
    const text = textOf(node);
    if (node !== undefined && (text === undefined || !/^[A-Za-z_]\w*$/.test(text))) {
      report(error('bad-loop-control', `${key}: expected the name of a variable`, {span: node.span}));
      return undefined;
    }
    return text;
  };
  return {
    form: first.key === 'loop' ? 'loop' : withoutCollection(first.key.slice('with_'.length)),
    source: first.value,
    span: first.keySpan,
    loopVar: name('loop_var') ?? 'item',
    indexVar: name('index_var'),
    label: given(child(settings, 'label')),
    pauseS: given(child(settings, 'pause')),
    extended: truthOf(child(settings, 'extended')) ?? false,
    allItems: truthOf(child(settings, 'extended_allitems')) ?? true,
  };
}

function truthOf(node: Node | undefined): boolean | undefined {
  if (node?.kind !== 'scalar') return undefined;
  return /^(?:true|yes|on|1)$/i.test(node.raw);
}

function withoutCollection(name: string): string {
  return name.split('.').at(-1) ?? name;
}

function checkControl(entry: Entry, report: (problem: Diagnostic) => void): void {
  if (controls.has(entry.key)) return;
  const near = nearestName(entry.key, controls);
  report(
    error('unknown-key', `loop_control has no key ${entry.key}`, {
      span: entry.keySpan,
      help: near === undefined ? `it takes ${[...controls].join(', ')}` : `did you mean ${near}?`,
    }),
  );
}
