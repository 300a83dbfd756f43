import {valueOr} from './known.ts';
import PQueue from 'p-queue';
import {placeOf} from '../base/diagnostic.ts';
import type {Item, Play, Task} from '../playbook/program.ts';
import type {Node} from '../playbook/node.ts';
import type {RunContext} from './context.ts';
import {HostRunner, type PlayContext} from './runner.ts';

/**
 * Runs one play: in batches (`serial`), and within a batch every host on its own, bounded by `--forks`. Hosts meet before and after items
 * that need the others (`run_once`, `add_host`, `group_by`, `hostvars`), and at every item where the play is linear.
 */
export async function runPlay(run: RunContext, play: Play): Promise<void> {
  const {stateOf} = run;
  const all = run.site.hostsOf(play);
  const hosts = all.filter((name) => stateOf(name).stopped === undefined);
  if (all.length === 0) return;
  run.emit({event: 'play-started', play: play.name, hosts: all, at: placeOf(play.span)});
  for (const names of portions(hosts, serialOf(run, play, hosts[0]))) {
    const context: PlayContext = {play, hosts: names, once: new Map()};
    run.site.enterBatch(play, names, () => names.filter((name) => stateOf(name).stopped === undefined));
    const runners = names.map((name) => new HostRunner(run, stateOf(name), context));
    for (const segment of segments(play)) {
      const alive = runners.filter((runner) => runner.host.stopped === undefined);
      await inParallel(run, alive, (runner) => runner.items(segment));
      if (tooManyFailed(run, play, runners)) {
        for (const runner of runners) runner.host.stopped ??= 'failed';
        break;
      }
    }
    if (runners.length > 0 && runners.every((runner) => runner.host.stopped !== undefined)) break;
  }
}

/** Whether hosts of a play look at each other or wait for each other, so that they cannot be left to different runs. */
export function hostsMeet(play: Play): boolean {
  return play.serial !== undefined || segments(play).length > 1;
}

async function inParallel(
  run: RunContext,
  runners: readonly HostRunner[],
  work: (runner: HostRunner) => Promise<void>,
): Promise<void> {
  const queue = new PQueue({concurrency: run.forks});
  await Promise.all(runners.map((runner) => queue.add(() => work(runner))));
}

/** Parts of a play between which all hosts meet. */
function segments(play: Play): readonly (readonly Item[])[] {
  const linear = play.strategy === 'linear' || play.anyErrorsFatal || play.maxFailPercentage !== undefined;
  const parts: Item[][] = [[]];
  for (const item of play.items) {
    if (linear || needsOthers(item)) parts.push([item], []);
    else parts.at(-1)!.push(item);
  }
  return parts.filter((part) => part.length > 0);
}

function needsOthers(item: Item): boolean {
  if (item.item === 'block') return [...item.block, ...item.rescue, ...item.always].some(needsOthers);
  if (
    item.keywords.runOnce !== undefined ||
    item.keywords.delegateFacts !== undefined ||
    item.keywords.throttle !== undefined
  )
    return true;
  if (item.item === 'include') return mentionsOthers(item.file);
  const {doing} = item;
  if (doing.do === 'action' && (doing.action === 'add_host' || doing.action === 'group_by')) return true;
  return [item.params, ...item.keywords.when, item.keywords.loop?.source, ...varsOf(item)].some(
    (node) => node !== undefined && mentionsOthers(node),
  );
}

function varsOf(task: Task): readonly Node[] {
  return task.vars.flatMap((layer) =>
    layer.kind === 'task' || layer.kind === 'block' ? [...layer.values.values()] : [],
  );
}

/** Whether a value speaks of other hosts' variables. */
function mentionsOthers(node: Node): boolean {
  if (node.kind === 'scalar') return typeof node.value === 'string' && node.value.includes('hostvars');
  if (node.kind === 'list') return node.items.some(mentionsOthers);
  return node.entries.some((entry) => mentionsOthers(entry.value));
}

function serialOf(run: RunContext, play: Play, host: string | undefined): readonly (number | string)[] {
  if (play.serial === undefined || host === undefined) return [];
  const state = run.hosts.get(host);
  if (state === undefined) return [];
  const value = valueOr(run.site.scopeFor(host, play, undefined, state.memory).evaluate(play.serial), undefined);
  const list: readonly unknown[] = Array.isArray(value) ? value : [value];
  return list.filter((size): size is number | string => typeof size === 'number' || typeof size === 'string');
}

/** Splits hosts by `serial`: numbers, percentages, or a list of which the last repeats. 0 or nothing means all at once. */
export function portions(
  hosts: readonly string[],
  sizes: readonly (number | string)[],
): readonly (readonly string[])[] {
  if (sizes.length === 0) return [hosts];
  const parts: string[][] = [];
  for (let at = 0, i = 0; at < hosts.length; i++) {
    const size = sizes[Math.min(i, sizes.length - 1)]!;
    const text = String(size);
    const count = text.endsWith('%') ? Math.max(1, Math.floor((hosts.length * parseFloat(text)) / 100)) : Number(text);
    const step = count > 0 ? count : hosts.length;
    parts.push(hosts.slice(at, at + step));
    at += step;
  }
  return parts;
}

function tooManyFailed(run: RunContext, play: Play, runners: readonly HostRunner[]): boolean {
  const failed = runners.filter((runner) => runner.host.stopped !== undefined).length;
  if (failed === 0) return false;
  if (play.anyErrorsFatal) return true;
  if (play.maxFailPercentage === undefined) return false;
  const first = runners[0]!.host;
  const limit = Number(
    valueOr(run.site.scopeFor(first.name, play, undefined, first.memory).evaluate(play.maxFailPercentage), 100),
  );
  return (failed / runners.length) * 100 > limit;
}
