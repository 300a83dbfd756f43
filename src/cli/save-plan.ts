import {randomBytes} from 'node:crypto';
import {closeSync, fsyncSync, openSync, renameSync, rmSync, writeSync} from 'node:fs';
import {hostname, userInfo} from 'node:os';
import {basename, dirname, join, relative} from 'node:path';
import {visible} from '../base/visible.ts';
import type {RunEvent, RunInfo, RunOutcome, TaskResult} from '../engine/event.ts';
import type {RunContext} from '../engine/context.ts';
import {PlanRecorder} from '../engine/plan-recorder.ts';
import type {PlannedStep} from '../engine/plan-part.ts';
import {witnessWords} from '../engine/moves.ts';
import {takeSiteFiles, type SiteFiles} from '../playbook/disk.ts';
import type {Site, SiteOptions} from '../playbook/site.ts';
import {JsonReporter, type Hide} from '../report/json.ts';
import {opWords} from '../report/plan-words.ts';
import type {VaultPassword} from '../secrets/vault.ts';
import {controllerKey} from '../store/controller-key.ts';
import {NotKeepable, PlanWriter} from '../store/plan-codec.ts';
import {seal} from '../store/plan-seal.ts';
import {contextOf, headLines, lineDigests, planFormat, printPlan, type PlanHead} from '../store/plan-text.ts';
import {sha256File} from './file-digest.ts';
import {moduleOf} from './plan-module.ts';
import {keptOptions, type PlanContent, type PlannedHost} from './plan-content.ts';
import {version} from './version.ts';

/** Takes part in a run that plans, and writes the plan file at its end. */
export class PlanSaving {
  readonly recorder = new PlanRecorder();
  readonly #files: SiteFiles = takeSiteFiles();
  readonly #reporter: JsonReporter;
  readonly #results: TaskResult[] = [];
  readonly #info: RunInfo;
  readonly #hide: Hide;
  readonly #made: Date;

  readonly #path: string;

  /** `path`: where the plan is to be written. */
  constructor(info: RunInfo, hide: Hide, path: string) {
    this.#path = path;
    this.#info = info;
    this.#hide = hide;
    this.#made = new Date();
    this.#reporter = new JsonReporter(info, () => Date.now() - this.#made.getTime(), hide);
  }

  readonly onEvent = (event: RunEvent): void => {
    this.#reporter.on(event);
    if (event.event === 'task-finished') this.#results.push(event.result);
  };

  /** Writes the plan: all of it or nothing, readable by its owner only. Gives what to say of it. */
  write(
    outcome: RunOutcome,
    parts: {
      readonly site: Site;
      readonly hosts: RunContext['hosts'];
      readonly siteOptions: SiteOptions;
      readonly options: Readonly<Record<string, unknown>>;
      readonly answers: PlanContent['answers'];
      readonly vaultPasswords: readonly VaultPassword[];
      readonly state: string;
    },
  ): string {
    this.recorder.conclude(parts.hosts, (name) => moduleOf(parts.site, name));
    const writer = new PlanWriter();
    const hosts = Object.fromEntries(
      Object.keys(outcome.hosts).map((host) => [host, this.#host(host, outcome, writer)]),
    );
    const {answers, siteOptions} = parts;
    const document = this.#reporter.document(outcome.run.exit);
    const head: PlanHead = {
      tsplayPlan: planFormat,
      made: {
        id: this.#info.id,
        at: this.#made.toISOString(),
        by: `${userInfo().username}@${hostname()}`,
        version: version(),
      },
      site: {
        folder: siteOptions.cwd,
        playbooks: siteOptions.playbooks,
        inventories: siteOptions.inventories,
        limit: siteOptions.limit ?? [],
        tags: siteOptions.tags ?? [],
        skipTags: siteOptions.skipTags ?? [],
      },
      run: document.run,
      hosts: document.hosts,
      tasks: document.tasks.map((task, i) => this.#task(this.#hidden(task), this.#results[i])),
      problems: document.problems,
    };
    const lines = headLines(head);
    const content: Omit<PlanContent, 'texts' | 'blobs'> = {
      lines: lineDigests(lines),
      site: keptOptions(siteOptions),
      options: optionsOf(parts.options),
      answers: answers.map(({play, name, value}) => ({play, name, value: writer.pack(value)})),
      files: Object.fromEntries(this.#files),
      modules: this.#modules(parts.site),
      onces: this.recorder.onces,
      hosts,
    };
    const {texts, blobs} = writer.finish(undefined);
    const random = (bytes: number): Uint8Array => randomBytes(bytes);
    const {vaultPasswords, state} = parts;
    const sealing =
      vaultPasswords.length > 0
        ? ({with: 'vault', passwords: vaultPasswords} as const)
        : ({with: 'controller', key: controllerKey(state, random)!} as const);
    const sealed = seal({...content, texts, blobs}, sealing, contextOf(head), random);
    const path = this.#path;
    writeWhole(path, printPlan(lines, sealed));
    const by =
      sealing.with === 'vault'
        ? `with the vault ${vaultPasswords.length === 1 ? 'password' : 'passwords'}`
        : 'for this controller';
    const name = visible(
      relative(parts.siteOptions.cwd, path).startsWith('..') ? path : relative(parts.siteOptions.cwd, path),
    );
    return `\nPlan written to ${name}, sealed ${by}. Look at it with \`tsplay show ${name}\`, apply it with \`tsplay apply ${name}\`.\n`;
  }

  #host(host: string, outcome: RunOutcome, writer: PlanWriter): PlannedHost {
    const decisions = this.recorder.hosts.get(host);
    const unfit = this.#unfit(host, outcome);
    return {
      steps: [...(decisions?.steps ?? [])].map(([place, step]) => [place, packStep(writer, step)]),
      evaluations: [...(decisions?.evaluations ?? [])].flatMap(([place, value]) => {
        try {
          return [[place, writer.pack(value)] as const];
        } catch (error) {
          // evaluated again when the plan is applied
          if (error instanceof NotKeepable) return [];
          throw error;
        }
      }),
      recalled: decisions?.recalled ?? [],
      ends: [...(decisions?.ends ?? [])].map(([place, ends]) => [place, ends.map((end) => end ?? null)]),
      ...(unfit === undefined ? {} : {unfit}),
    };
  }

  /** Why the plan of a host is none. */
  #unfit(host: string, outcome: RunOutcome): string | undefined {
    const {status} = outcome.hosts[host]!;
    if (status === 'unreachable') return 'it could not be reached when the plan was made';
    if (status !== 'failed') return undefined;
    const failed = this.#results.find((r) => r.host === host && (r.status === 'failed' || r.status === 'refused'));
    return failed === undefined
      ? 'planning failed there'
      : this.#hide(
          `it was not planned to its end: "${failed.task}" was ${failed.status === 'failed' ? 'a failure' : 'refused'}`,
        );
  }

  /** What was said early may hold a secret that the run came to know of later. Names of the document's own are left alone. */
  #hidden(task: unknown): Record<string, unknown> {
    const free = ['task', 'item', 'changes', 'findings', 'diff', 'message', 'help', 'command', 'pending', 'control'];
    return Object.fromEntries(
      Object.entries(task as Record<string, unknown>).map(([name, value]) => [
        name,
        free.includes(name) ? this.#hide(value) : value,
      ]),
    );
  }

  /** A task of the report, with what the plan holds of it. */
  #task(task: Record<string, unknown>, result: TaskResult | undefined): Record<string, unknown> {
    const step =
      result?.place === undefined ? undefined : this.recorder.hosts.get(result.host)?.steps.get(result.place);
    if (result === undefined || result.status === 'failed' || result.status === 'refused') return task;
    if (result.status === 'unknown' && !result.everyRun) return {...task, decided: 'at apply'};
    if (step?.does !== 'change' && step?.does !== 'nothing') return task;
    const hidden = result.noLog;
    return {
      ...task,
      decided: 'at plan',
      ...(step.does === 'change' ? {ops: hidden ? ['hidden by no_log'] : this.#hide(step.ops.flatMap(opWords))} : {}),
      saw: this.#hide(step.saw.map((saw) => witnessWords(saw))),
    };
  }

  /** The site's own modules, since their code is not kept: by digest. */
  #modules(site: Site): PlanContent['modules'] {
    const names = new Set<string>();
    for (const {steps} of this.recorder.hosts.values())
      for (const step of steps.values()) if (step.does === 'change' || step.does === 'nothing') names.add(step.module);
    return Object.fromEntries(
      [...names].flatMap((name) => {
        const file = site.catalog.ownFileOf(name);
        return file === undefined ? [] : [[name, {file, sha256: sha256File(file)}]];
      }),
    );
  }
}

function packStep(writer: PlanWriter, step: PlannedStep): unknown {
  try {
    return writer.pack(step);
  } catch (error) {
    if (!(error instanceof NotKeepable)) throw error;
    return writer.pack({does: 'later', cause: `it holds ${error.message}`, doubts: []} satisfies PlannedStep);
  }
}

/** Options of the command line that count when the plan is applied, unless they are given anew. None of them is a secret. */
function optionsOf(options: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const names = ['user', 'privateKey', 'become', 'becomeUser', 'becomeMethod', 'connection', 'timeout', 'forks'];
  return Object.fromEntries(
    [...names, 'askPass', 'askBecomePass'].flatMap((name) =>
      options[name] === undefined ? [] : [[name, options[name]]],
    ),
  );
}

function writeWhole(path: string, text: string): void {
  const candidate = join(dirname(path), `.${basename(path)}.${process.pid}.tmp`);
  const file = openSync(candidate, 'wx', 0o600);
  try {
    writeSync(file, text);
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
  try {
    renameSync(candidate, path);
  } catch (error) {
    rmSync(candidate, {force: true});
    throw error;
  }
}
