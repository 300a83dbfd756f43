// Which messages a change of state brings: one for each target, with all changes of a run together.
import type {Statements} from './database.ts';
import {isNews, type StateChange} from './host-states.ts';
import type {Queue} from './queue.ts';
import type {Schedule} from './schedule.ts';

/** Puts the messages into the queue, in the transaction that writes the states: none is lost, and none is sent for what was not written. */
export async function queueChanges(
  queue: Queue,
  tx: Statements,
  schedule: Schedule,
  changes: readonly StateChange[],
): Promise<void> {
  const news = changes.filter(isNews);
  if (news.length === 0) return;
  for (const target of schedule.notify.keys())
    await queue.send('notices', {schedule: schedule.name, target, changes: news}, {tx});
}
