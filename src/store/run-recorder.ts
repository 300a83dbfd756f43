// Writes one run's file, a line as each thing happens. Whatever goes wrong with the disk, the run goes on: it is said once, and what could not be written is
// counted in the file when there is room again.
import {mkdirSync, rmSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {performance} from 'node:perf_hooks';
import type {RunEvent} from '../engine/event.ts';
import {chained, type Hash} from './hash-chain.ts';
import {JournalFile} from './journal-file.ts';
import {thisProcess} from './process-identity.ts';
import type {HistoryRecord, RunEnd, RunStart} from './records.ts';
import {shapeEvents, type Shaping} from './shape-events.ts';
import {openMark, runFile} from './places.ts';
import {settleLeft} from './settle-left.ts';
import {alone, appendToIndex} from './run-index.ts';

/** The record of one run while it happens. Nothing here throws: a history that cannot be written is said through `onTrouble`, once. */
export type RunRecorder = {
  readonly id: string;
  /** the engine's events; what is not worth keeping is left out */
  readonly on: (event: RunEvent) => void;
  readonly write: (record: HistoryRecord) => void;
  /** keeps a small value with the end of the run, for lists and plots (`RunEnd.notes`) */
  readonly note: (name: string, value: unknown) => void;
  /** the run is over. Without an outcome among the events (a run that was refused or interrupted) hosts are counted as none */
  readonly close: (exit: number) => void;
};

/** Begins a run's record. `onTrouble` gets one sentence for people when something cannot be written. `folder`: the history's. */
export function beginRecord(
  folder: string,
  start: RunStart,
  shaping: Shaping,
  onTrouble: (message: string) => void,
): RunRecorder {
  const writer = new RunWriter(folder, start, onTrouble);
  const notes: Record<string, unknown> = {};
  const shape = shapeEvents((record) => writer.write(record), shaping);
  return {
    id: start.id,
    on: shape.on,
    write: (record) => {
      shape.flush();
      writer.write(record);
    },
    note: (name, value) => (notes[name] = value),
    close: (exit) => {
      shape.flush();
      writer.close({
        durationMs: writer.elapsedMs(),
        exit,
        hosts: shape.hosts(),
        tasks: shape.tasks(),
        notes: shaping.hide(notes),
      });
    },
  };
}

class RunWriter {
  readonly #folder: string;
  readonly #start: RunStart;
  readonly #onTrouble: (message: string) => void;
  readonly #began = performance.now();
  #file: JournalFile | undefined;
  #hash: Hash;
  #n = 0;
  #lost = 0;
  #isTold = false;

  constructor(folder: string, start: RunStart, onTrouble: (message: string) => void) {
    this.#folder = folder;
    this.#start = start;
    this.#onTrouble = onTrouble;
    this.#hash = start.id;
    try {
      for (const name of ['', 'runs', 'open']) mkdirSync(join(folder, name), {recursive: true, mode: 0o700});
      const writer = thisProcess();
      writeFileSync(openMark(folder, start.id), JSON.stringify(writer), {mode: 0o600, flag: 'wx'});
      this.#file = new JournalFile(runFile(folder, start.id), true);
      this.write({record: 'run-started', ...start, writer});
      const {id, mode, playbooks, started, by, inputs} = start;
      const schedule = inputs.schedule === undefined ? {} : {schedule: inputs.schedule};
      if (this.#n > 0)
        alone(folder, () => {
          settleLeft(folder);
          appendToIndex(folder, {entry: 'opened', id, mode, playbooks, started, by, ...schedule, first: this.#hash});
        });
    } catch (error) {
      this.#trouble(error);
    }
  }

  elapsedMs(): number {
    return Math.round(performance.now() - this.#began);
  }

  write(record: HistoryRecord): void {
    if (this.#file === undefined) return;
    try {
      if (this.#lost > 0) {
        this.#append({record: 'lost', records: this.#lost});
        this.#lost = 0;
      }
      this.#append(record);
    } catch (error) {
      this.#lost++;
      this.#trouble(error);
    }
  }

  close(end: RunEnd): void {
    if (this.#file === undefined) return;
    this.write({record: 'run-finished', ...end});
    try {
      this.#file.sync();
      this.#file.close();
      this.#file = undefined;
      if (this.#n === 0) return;
      const {id} = this.#start;
      alone(this.#folder, () =>
        appendToIndex(this.#folder, {entry: 'closed', id, last: this.#hash, records: this.#n, ...end}),
      );
      rmSync(openMark(this.#folder, id), {force: true});
    } catch (error) {
      this.#trouble(error);
    }
  }

  #append(record: HistoryRecord): void {
    const {line, hash} = chained(this.#hash, {n: this.#n, t: this.elapsedMs(), ...record});
    this.#file!.append(line);
    this.#hash = hash;
    this.#n++;
  }

  #trouble(error: unknown): void {
    if (this.#isTold) return;
    this.#isTold = true;
    this.#onTrouble(
      `the history of this run cannot be written whole: ${error instanceof Error ? error.message : String(error)}`,
    );
  }
}
