// The live part of a run's page: what happens travels as server-sent events, one line of plain data each, and a script of a few lines puts it into the page as text.
import type {ServerResponse} from 'node:http';
import {visible} from '../../base/visible.ts';
import type {PlacedRecord} from '../../store/history.ts';
import type {RecordedTask} from '../../store/records.ts';
import type {FleetView} from './fleet-view.ts';

/** The page's only script. It makes text of what it gets, never markup. */
export const liveScript = `'use strict';
const list = document.getElementById('live-list');
const state = document.getElementById('live-state');
const source = new EventSource(list.dataset.events);
source.addEventListener('line', (event) => {
  const {text, status} = JSON.parse(event.data);
  const item = document.createElement('li');
  item.className = 's-' + status;
  item.textContent = text;
  list.prepend(item);
  while (list.children.length > 200) list.lastElementChild.remove();
});
source.addEventListener('over', () => {
  source.close();
  state.textContent = 'This run is over.';
  location.reload();
});
source.onerror = () => { state.textContent = 'The connection is lost; trying again.'; };
source.onopen = () => { state.textContent = 'This run goes on; what happens appears here.'; };
`;

/** *units*: ms between signs of life, so that nothing on the way takes the connection for dead. */
const aliveMs = 15_000;

/** Answers with a run's records as they come, until it is over or the reader has gone. `from`: the first that is wanted. */
export async function followRun(view: FleetView, id: string, from: number, response: ServerResponse): Promise<void> {
  const gone = new AbortController();
  response.on('close', () => gone.abort());
  response.writeHead(200, {'content-type': 'text/event-stream; charset=utf-8', 'x-accel-buffering': 'no'});
  response.write(': here\n\n');
  const alive = setInterval(() => response.write(': alive\n\n'), aliveMs);
  alive.unref();
  const tasks = new Map<number, RecordedTask>();
  try {
    // tasks are described once, perhaps before the first record that is wanted
    for await (const record of view.follow(id, 0, gone.signal)) {
      if (record.record === 'task') tasks.set(record.id, record);
      if (record.n < from) continue;
      const line = lineOf(record, tasks);
      if (line !== undefined) send(response, 'line', record.n, line);
    }
    if (!gone.signal.aborted) send(response, 'over', undefined, {});
  } finally {
    clearInterval(alive);
    response.end();
  }
}

function send(response: ServerResponse, event: string, id: number | undefined, data: object): void {
  response.write(`${id === undefined ? '' : `id: ${id}\n`}event: ${event}\ndata: ${JSON.stringify(data)}\n\n`);
}

/** What a record says to people; nothing for those that only a machine needs. */
export function lineOf(
  record: PlacedRecord,
  tasks: ReadonlyMap<number, RecordedTask>,
): {readonly text: string; readonly status: string} | undefined {
  const line = (status: string, text: string): {text: string; status: string} => ({
    text: visible(text.toWellFormed()),
    status,
  });
  const nameOf = (id: number): string => tasks.get(id)?.task ?? 'a task';
  switch (record.record) {
    case 'play':
      return line('none', `play ${record.play} (${record.hosts.length} hosts)`);
    case 'connected':
      return line('none', `${record.host}: connected`);
    case 'unreachable':
      return line('unreachable', `${record.host}: unreachable: ${record.message}`);
    case 'result':
      return line(styles[record.status] ?? 'none', `${record.host}: ${nameOf(record.id)}: ${record.status}`);
    case 'results':
      return line(
        'ok',
        `${record.host}: ${record.results.length} ${record.results.length === 1 ? 'task' : 'tasks'} as declared or skipped`,
      );
    case 'problem':
      return line(record.severity === 'error' ? 'failed' : 'changed', record.message);
    case 'host-finished':
      return line(styles[record.summary.status] ?? 'none', `${record.host}: done, ${record.summary.status}`);
    default:
      return undefined;
  }
}

const styles: Readonly<Record<string, string>> = {
  ok: 'ok',
  changed: 'changed',
  unknown: 'changed',
  failed: 'failed',
  refused: 'failed',
  unreachable: 'unreachable',
};
