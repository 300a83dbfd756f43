import {randomBytes} from 'node:crypto';
import {chmodSync, renameSync, rmSync, writeFileSync} from 'node:fs';
import {basename, dirname, join} from 'node:path';
import type {RunNumbers} from '../converge/metrics/collect.ts';
import {renderMetrics} from '../converge/metrics/render.ts';

/** Writes a run's numbers for node-exporter, which runs as another account: readable for all, the whole file at once. *errors*: those of writing. */
export async function writeMetrics(path: string, run: RunNumbers): Promise<void> {
  const text = await renderMetrics({runs: [run]});
  const draft = join(dirname(path), `.${basename(path)}.${randomBytes(6).toString('hex')}.tmp`);
  try {
    writeFileSync(draft, text, {flag: 'wx', mode: 0o644});
    chmodSync(draft, 0o644);
    renameSync(draft, path);
  } catch (failure) {
    rmSync(draft, {force: true});
    throw failure;
  }
}
