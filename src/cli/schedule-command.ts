// `tsplay schedule list|remove|run|pause|resume|plans|approve|reject`.
import {existsSync} from 'node:fs';
import {hostname, userInfo} from 'node:os';
import {error} from '../base/diagnostic.ts';
import {visible} from '../base/visible.ts';
import type {Overview, ScheduleView} from '../converge/control.ts';
import {ask, refused} from './at-desk.ts';

type Options = Readonly<Record<string, unknown>>;

/** Schedules, controllers and queue as they stand. */
export async function scheduleList(options: Options): Promise<void> {
  const found = await ask(options, {do: 'overview'});
  if (found === undefined) return;
  process.stdout.write(
    options['output'] === 'json'
      ? `${JSON.stringify({schema: 1, ...found.value}, undefined, 2)}\n`
      : shown(found.value),
  );
}

/** One of the verbs that take a schedule's name. */
export async function scheduleDo(
  verb: 'remove' | 'run' | 'pause' | 'resume',
  name: string,
  options: Options,
): Promise<void> {
  const done = await ask(options, {do: verb, name});
  if (done === undefined) return;
  const said = {
    remove: 'removed',
    run: 'will be run at once by a service',
    pause: 'paused',
    resume: 'goes on',
  }[verb];
  process.stdout.write(`${name}: ${said}\n`);
}

/** The plans that wait, and those that were decided lately. */
export async function schedulePlans(options: Options): Promise<void> {
  const found = await ask(options, {do: 'plans'});
  if (found === undefined) return;
  for (const {id, schedule, made, hosts, state, path, controller, decidedBy} of found.value)
    process.stdout.write(
      `${id}  ${schedule}  ${made}  ${state}${decidedBy === undefined ? '' : ` by ${decidedBy}`}  ${hosts.length} hosts: ${visible(hosts.join(', '))}\n    ${path} on ${controller}\n`,
    );
  if (found.value.length === 0) process.stdout.write('no plans\n');
}

/** Applies a plan that waits, or lets it lie. */
export async function scheduleDecide(verb: 'approve' | 'reject', word: string, options: Options): Promise<void> {
  const found = await ask(options, {do: 'plans'});
  if (found === undefined) return;
  const plan = found.value.find(({id, schedule, state}) => state === 'waiting' && (id === word || schedule === word));
  if (plan === undefined) {
    refused(error('no-plan', `no plan of "${word}" waits`, {help: 'see `tsplay schedule plans`'}));
    return;
  }
  const by = `${userInfo().username}@${hostname()}`;
  if (verb === 'approve') {
    if (!existsSync(plan.path)) {
      refused(error('no-plan', `${plan.path} is on ${plan.controller}, not here`, {help: 'approve it there'}));
      return;
    }
    const {applyCommand} = await import('./apply-command.ts');
    await applyCommand(plan.path, {}, ['apply', plan.path]);
    // what was not attempted at all can still be approved later
    if (process.exitCode === 1) return;
  }
  await ask(options, {do: 'decide', plan: plan.id, state: verb === 'approve' ? 'applied' : 'rejected', by});
  if (verb === 'reject') process.stdout.write(`${plan.id}: rejected\n`);
}

function shown(overview: Overview): string {
  const lines = overview.schedules.flatMap((schedule) => [
    `${schedule.name}  ${schedule.cron} ${schedule.timezone}${schedule.paused ? '  PAUSED' : ''}`,
    `    ${visible(schedule.command.words.join(' '))}  in ${visible(schedule.site)}${schedule.commit === null ? '' : ` at ${schedule.commit.slice(0, 12)}`}`,
    `    next ${schedule.next ?? 'never'}; last ${lastOf(schedule)}`,
    `    ${statesOf(schedule)}`,
  ]);
  const {firings, hosts, notices} = overview.queues;
  return [
    ...(lines.length === 0 ? ['no schedules: tsplay schedule add NAME --cron … -- check site.yml'] : lines),
    '',
    `controllers: ${overview.controllers.length === 0 ? 'none runs (tsplay service)' : overview.controllers.map(({id, kind, version}) => `${id} (${kind} ${version})`).join(', ')}`,
    ...overview.controllers.flatMap(({id, declines}) =>
      Object.entries(declines).map(([schedule, why]) => `    ${id} declines ${schedule}: ${visible(why)}`),
    ),
    `queue: ${firings.waiting + hosts.waiting} waiting, ${firings.active + hosts.active} at work, ${notices.waiting + notices.active} messages; oldest ${Math.round(hosts.lagSeconds)} s`,
    '',
  ].join('\n');
}

function lastOf({lastFiring}: ScheduleView): string {
  if (lastFiring === null) return 'never';
  const {due, finished, hosts, done, problem} = lastFiring;
  if (problem !== null) return `${due}: ${visible(problem.split('\n')[0] ?? '')}`;
  return finished === null ? `${due}, ${done} of ${hosts ?? '?'} hosts done` : `${due}, done at ${finished}`;
}

function statesOf({states}: ScheduleView): string {
  const entries = Object.entries(states);
  return entries.length === 0 ? 'no host yet' : entries.map(([state, hosts]) => `${hosts} ${state}`).join(', ');
}
