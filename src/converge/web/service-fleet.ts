import type {History} from '../../store/history.ts';
import type {Clock} from '../clock.ts';
import type {Statements} from '../database.ts';
import {readChanges, readStates} from '../host-states.ts';
import {nextAfter} from '../occurrences.ts';
import {allSchedules} from '../schedules.ts';
import type {FleetView} from './fleet-view.ts';
import {historyFleet} from './history-fleet.ts';

/** *units*: changes of a host's state. */
const mostChanges = 200;

/** A fleet as a service knows it: states and schedules of the database, which all controllers share; runs of this controller's own history. */
export function serviceFleet(database: Statements, clock: Clock, history: History): FleetView {
  return historyFleet(history, {
    hosts: async () =>
      (await readStates(database)).map(({host, schedule, state, since, checked, run, message}) => ({
        host,
        schedule,
        state,
        since: since.toISOString(),
        checked: checked.toISOString(),
        run,
        message,
      })),
    schedules: async () => {
      const now = await clock();
      return (await allSchedules(database)).map((schedule) => ({
        name: schedule.name,
        cron: schedule.cron,
        timezone: schedule.timezone,
        words: schedule.command.words,
        paused: schedule.paused,
        next: schedule.paused ? undefined : nextAfter(schedule, now)?.toISOString(),
      }));
    },
    changes: (host) => readChanges(database, {host, limit: mostChanges}),
  });
}
