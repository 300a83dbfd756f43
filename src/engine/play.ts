import {valueOr} from './known.ts';
import {placeOf} from '../base/diagnostic.ts';
import type {Item, Play} from '../playbook/program.ts';
import type {RunContext} from './context.ts';
import {Meeting} from './meeting.ts';
import {isLinear, needsOthers} from './needs-others.ts';
import {HostRunner, type PlayContext} from './runner.ts';
import {settlePending} from './settle-pending.ts';

/**
 * Runs one play: in batches (`serial`), and within a batch every host on its own, bounded by `--forks`. Hosts meet before and after tasks
 * that need the others (`run_once`, `add_host`, `group_by`, `hostvars`), and at every task where the play is linear.
 * Gives whether the plays after it are run: they are not where a whole batch failed. *source*: Ansible's playbook executor.
 */
export async function runPlay(run: RunContext, play: Play): Promise<'go-on' | 'break'> {
  const {stateOf} = run;
  const all = run.site.hostsOf(play);
  for (const name of all) {
    stateOf(name).comeBack();
    stateOf(name).noticeOthers(run.disturbances);
  }
  const hosts = all.filter((name) => stateOf(name).stopped === undefined);
  if (all.length === 0) return 'go-on';
  run.emit({event: 'play-started', play: play.name, hosts: all, at: placeOf(play.span)});
  const works = (name: string): boolean => stateOf(name).stopped === undefined;
  const leaves = leavesEarly(run, play);
  for (const names of portions(hosts, serialOf(run, play, hosts[0]))) {
    const context: PlayContext = {
      play,
      hosts: names,
      once: new Map(),
      throttles: new Map(),
      meeting: new Meeting(names, run.forks),
      ended: undefined,
      tooManyFailed: () => tooManyFailed(run, play, names),
    };
    run.site.enterBatch(play, names, () => all.filter(works));
    await Promise.all(
      names.map(async (name) => {
        await context.meeting.begin();
        try {
          await new HostRunner(run, stateOf(name), context).items(play.items);
          if (leaves(name)) {
            await settlePending(run, stateOf(name)).catch(() => undefined);
            await stateOf(name).leave();
          }
        } finally {
          context.meeting.end(name);
        }
      }),
    );
    if (context.ended === 'play') return 'go-on';
    if (context.ended === 'fatal' || context.tooManyFailed()) return 'break';
    if (names.length > 0 && names.every((name) => !works(name) && !stateOf(name).isComingBack)) return 'break';
  }
  return 'go-on';
}

/**
 * Which hosts give up their connection and what was read of them as soon as this play is over: those that no later play names, where there are more hosts than
 * work at a time. Otherwise the connections and the memory of a run would grow with the fleet.
 */
function leavesEarly(run: RunContext, play: Play): (name: string) => boolean {
  if (run.hosts.size <= run.forks || run.plan !== undefined) return () => false;
  const {plays} = run.site.program;
  const later = new Set(plays.slice(plays.indexOf(play) + 1).flatMap((next) => run.site.hostsOf(next)));
  return (name) => !later.has(name) && !run.stateOf(name).isComingBack;
}

/** Whether hosts of a play look at each other or wait for each other, so that they cannot be left to different runs. */
export function hostsMeet(play: Play): boolean {
  const meets = (item: Item): boolean =>
    item.item === 'block' ? [...item.block, ...item.rescue, ...item.always].some(meets) : needsOthers(item);
  return play.serial !== undefined || isLinear(play) || play.items.some(meets);
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

/** Whether more hosts of a batch have failed than the play's `max_fail_percentage` allows. */
function tooManyFailed(run: RunContext, play: Play, names: readonly string[]): boolean {
  const [first] = names;
  if (play.maxFailPercentage === undefined || first === undefined) return false;
  const failed = names.filter((name) => ['failed', 'unreachable'].includes(run.stateOf(name).stopped ?? '')).length;
  if (failed === 0) return false;
  const scope = run.site.scopeFor(first, play, undefined, run.stateOf(first).memory);
  const limit = Number.parseFloat(String(valueOr(scope.evaluate(play.maxFailPercentage), 100)));
  return (failed / names.length) * 100 > limit;
}
