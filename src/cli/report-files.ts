import {randomBytes} from 'node:crypto';
import {accessSync, chmodSync, constants, realpathSync, renameSync, rmSync, statSync, writeFileSync} from 'node:fs';
import {basename, dirname, join, resolve} from 'node:path';
import {error, type Diagnostic} from '../base/diagnostic.ts';
import type {Audit} from '../report/audit.ts';
import type {JsonReport} from '../report/json.ts';
import type {TrendPoint} from '../report/trend.ts';

const forms = ['html', 'junit', 'json', 'sarif', 'md'] as const;
type Form = (typeof forms)[number];

/** A report that was asked for: `path` is absolute. */
export type ReportFile = {readonly form: Form; readonly path: string};

/** Reads `--report FORM=FILE` and makes sure, before anything is attempted, that the files can be written. */
export function readReportFiles(
  given: readonly string[],
  cwd: string,
): {files: readonly ReportFile[]; problems: readonly Diagnostic[]} {
  const files: ReportFile[] = [];
  const problems: Diagnostic[] = [];
  for (const text of given) {
    const at = text.indexOf('=');
    const form = forms.find((name) => name === text.slice(0, Math.max(0, at)));
    if (form === undefined || at === text.length - 1) {
      problems.push(
        error('bad-report', `--report ${text}: expected FORM=FILE with ${forms.join(', ')} as FORM`, {
          help: '--report html=report.html',
        }),
      );
      continue;
    }
    const path = resolve(cwd, text.slice(at + 1));
    const obstacle = obstacleOf(path);
    if (obstacle !== undefined) problems.push(cannotWrite(path, obstacle));
    else if (files.some((file) => file.path === path))
      problems.push(error('bad-report', `--report ${text}: two reports cannot have the same file`));
    else files.push({form, path});
  }
  return {files, problems};
}

/** Why a file cannot be written there, tried before anything is attempted; undefined where it can. */
export function obstacleOf(path: string): string | undefined {
  const found = statSync(path, {throwIfNoEntry: false});
  if (found?.isDirectory() === true) return 'it is a folder';
  const folder = dirname(path);
  if (statSync(folder, {throwIfNoEntry: false})?.isDirectory() !== true) return `there is no folder ${folder}`;
  try {
    accessSync(found !== undefined && !found.isFile() ? path : folder, constants.W_OK);
    return undefined;
  } catch (failure) {
    return failure instanceof Error ? failure.message : String(failure);
  }
}

function cannotWrite(path: string, why: string): Diagnostic {
  return error('report-unwritable', `the report ${path} cannot be written: ${why}`, {
    help: 'make its folder, or choose another file',
  });
}

/** What reports are made of. `trend`: earlier runs, oldest first, and this one. */
type Documents = {readonly audit: Audit; readonly json: JsonReport; readonly trend: readonly TrendPoint[]};

/** Writes the reports, each at once or not at all; what cannot be written is a problem that is given back. Secrets are hidden in what comes here. */
export async function writeReports(files: readonly ReportFile[], what: Documents): Promise<readonly Diagnostic[]> {
  const problems: Diagnostic[] = [];
  for (const {form, path} of files) {
    try {
      replaceFile(path, await textOf(form, what));
    } catch (failure) {
      problems.push(cannotWrite(path, failure instanceof Error ? failure.message : String(failure)));
    }
  }
  return problems;
}

async function textOf(form: Form, {audit, json, trend}: Documents): Promise<string> {
  switch (form) {
    case 'html':
      return (await import('../report/html.ts')).htmlReport(audit, trend);
    case 'junit':
      return (await import('../report/junit.ts')).junitXml(audit);
    case 'md':
      return (await import('../report/markdown.ts')).markdownSummary(audit);
    case 'sarif': {
      const [{sarifDocument}, {version}] = await Promise.all([import('../report/sarif.ts'), import('./version.ts')]);
      return `${JSON.stringify(sarifDocument(audit, version()), undefined, 2)}\n`;
    }
    case 'json':
      return `${JSON.stringify(json, undefined, 2)}\n`;
  }
}

/** The whole file or the old one, never half of it. A new file is for its owner only; pipes and devices are written to as they are. */
function replaceFile(path: string, text: string): void {
  const found = statSync(path, {throwIfNoEntry: false});
  if (found !== undefined && !found.isFile()) {
    writeFileSync(path, text);
    return;
  }
  const target = found === undefined ? path : realpathSync(path);
  const draft = join(dirname(target), `.${basename(target)}.${randomBytes(6).toString('hex')}.tmp`);
  try {
    writeFileSync(draft, text, {flag: 'wx', mode: 0o600, flush: true});
    if (found !== undefined) chmodSync(draft, found.mode & 0o777);
    renameSync(draft, target);
  } catch (failure) {
    rmSync(draft, {force: true});
    throw failure;
  }
}
