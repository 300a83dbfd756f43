// What `exec` leaves in the history: who ran which command where, and how it ended on each host; not what it printed.
import {randomBytes} from 'node:crypto';
import {homedir} from 'node:os';
import type {HostStatus, HostSummary, RunInfo} from '../engine/event.ts';
import {redactData} from '../secrets/redact-data.ts';
import type {HostSet, Options} from './on-hosts.ts';
import {tell} from './on-hosts.ts';
import {beginRecorder, inputsOf, startOf, withoutSecrets} from './record-run.ts';
import {readSettings} from './settings.ts';
import {stateFolder} from './state.ts';
import {list} from './vault-passwords.ts';

/** How a command ended on one host. A command that worked counts as a change: nobody knows what it did. */
export type ExecEnd = {
  readonly host: string;
  readonly is: Exclude<HostStatus, 'ok'>;
  readonly message: string;
  readonly durationMs: number;
};

/** The record of one `exec`. */
export type ExecRecord = {readonly end: (ends: readonly ExecEnd[], exit: number) => void};

/** Begins the record, before anything is attempted. */
export function recordExec(words: readonly string[], options: Options, set: HostSet): ExecRecord {
  const cwd = process.cwd();
  const {settings} = readSettings(cwd, process.env);
  const hide = <T>(data: T): T => redactData(set.redactor, data);
  const began = new Date().toISOString();
  const id = `${began.replace(/[-:]/g, '').replace(/\..*/, '')}-${randomBytes(3).toString('hex')}`;
  const command = hide(withoutSecrets(words.join(' ')));
  const given = list(options['inventory']);
  const inputs = inputsOf(options, given.length > 0 ? given : (settings.inventory ?? ['inventory/']), cwd, hide);
  const info: Omit<RunInfo, 'mode'> = {id, playbooks: [command], started: began};
  const recorder = beginRecorder(
    stateFolder(settings.state_dir, process.env, process.env['HOME'] ?? homedir()),
    startOf({...info, mode: 'exec'}, {inputs, modules: {}}),
    {hide, tell},
  );
  recorder.on({event: 'play-started', play: 'exec', hosts: set.hosts.map(({name}) => name), at: ''});
  return {
    end: (ends, exit) => {
      const hosts: Record<string, HostSummary> = {};
      for (const {host, is, message, durationMs} of ends) {
        const none = {ok: 0, changed: 0, failed: 0, skipped: 0, refused: 0, unknown: 0, ignored: 0, roundTrips: 1};
        const summary: HostSummary = {
          ...none,
          status: is,
          ...(is === 'changed' ? {changed: 1} : is === 'failed' ? {failed: 1} : {}),
          ...(is === 'unreachable' ? {unreachable: {message, help: undefined}} : {}),
        };
        hosts[host] = summary;
        if (is !== 'unreachable')
          recorder.on({
            event: 'task-finished',
            result: {
              host,
              play: 'exec',
              task: command,
              module: 'exec',
              at: '',
              status: is,
              item: null,
              changes: [],
              findings: [],
              pending: [],
              message,
              help: undefined,
              command: undefined,
              everyRun: true,
              handler: false,
              noLog: false,
              durationMs,
              notified: [],
              control: undefined,
            },
          });
        recorder.on({event: 'host-finished', host, summary});
      }
      recorder.on({
        event: 'run-finished',
        outcome: {run: {...info, mode: 'run', durationMs: 0, exit}, hosts},
      });
      recorder.close(exit);
    },
  };
}
