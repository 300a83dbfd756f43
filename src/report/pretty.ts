import {styleText} from 'node:util';
import {visible} from '../base/visible.ts';
import type {HostSummary, RunEvent, RunMode, RunOutcome, TaskResult} from '../engine/event.ts';
import {linesOf} from './changes.ts';
import {hostList} from './host-list.ts';

/** Where a reporter writes: lines of text; `columns` is the terminal's width, 0 = not a terminal. */
export type Output = {
  write(text: string): void;
  readonly columns: number;
  readonly color: boolean;
  readonly live: boolean;
};

export type PrettyOptions = {
  readonly mode: RunMode;
  readonly showDiff: boolean;
  readonly verbosity: number;
  /** words of the command line, for "run again" */
  readonly command: readonly string[];
};

type Style = Parameters<typeof styleText>[0];

/** One group of equal results of one task on several hosts. */
type Group = {readonly hosts: string[]; readonly result: TaskResult; readonly diff: string};

/**
 * Reports for people. Results of one task are grouped: equal diffs are printed once with all their hosts. On a terminal a live line below shows who
 * is at work; in pipes (plain) only finished tasks are printed. Converged tasks are counted, not listed, unless -v.
 */
export class PrettyReporter {
  readonly #out: Output;
  readonly #options: PrettyOptions;
  readonly #groups = new Map<string, Group[]>();
  readonly #order: string[] = [];
  readonly #working = new Map<string, string>();
  readonly #pending = new Map<string, Set<string>>();
  readonly #unreachable = new Map<string, {message: string; help: string | undefined}>();
  #hosts = 0;
  #playHosts: readonly string[] = [];
  #finishedTasks = 0;
  #liveShown = false;
  readonly #check: boolean;

  constructor(out: Output, options: PrettyOptions) {
    this.#out = out;
    this.#options = options;
    this.#check = options.mode === 'check' || options.mode === 'plan';
  }

  on(event: RunEvent): void {
    switch (event.event) {
      case 'play-started':
        this.#flush();
        this.#hosts = Math.max(this.#hosts, event.hosts.length);
        this.#playHosts = event.hosts;
        this.#print(
          `\n${this.#paint('bold', `PLAY ${visible(event.play)}`)} ${this.#paint('dim', `(${event.hosts.length} ${event.hosts.length === 1 ? 'host' : 'hosts'})`)}\n`,
        );
        return;
      case 'task-started':
        this.#working.set(event.host, event.task);
        this.#live();
        return;
      case 'task-finished':
        this.#finishedTasks++;
        this.#take(event.result);
        this.#live();
        return;
      case 'host-unreachable':
        this.#unreachable.set(event.host, event);
        this.#working.delete(event.host);
        this.#print(
          `${this.#paint('red', '✗')} ${this.#paint('bold', event.host)} unreachable: ${visible(event.message)}\n${event.help === undefined ? '' : `    help: ${visible(event.help)}\n`}`,
        );
        return;
      case 'message':
        if (this.#options.verbosity > 0)
          this.#print(`${this.#paint('dim', `  ${event.host ?? ''} ${visible(event.text)}`)}\n`);
        return;
      case 'silence':
        this.#print(
          `${this.#paint('yellow', '…')} ${event.host}: no answer for ${Math.round(event.silentMs / 1000)} s from ${visible(event.label)}\n`,
        );
        return;
      case 'exchange':
        if (this.#options.verbosity > 1)
          this.#print(
            this.#paint(
              'dim',
              `  ${event.host}${event.user === undefined ? '' : ` as ${event.user}`}: exchange of ${event.fragments} fragments, ${Math.round(event.durationMs)} ms\n`,
            ),
          );
        return;
      case 'host-connected':
        if (this.#options.verbosity > 1)
          this.#print(
            this.#paint('dim', `  ${event.host}: connected via ${event.via}, ${Math.round(event.durationMs)} ms\n`),
          );
        return;
      case 'script':
        if (this.#options.verbosity > 2)
          this.#print(
            this.#paint(
              'dim',
              `  ${event.host}: ${visible(event.label)}\n${visible(event.text).replace(/^/gm, '    ')}\n`,
            ),
          );
        return;
      case 'problem':
        this.#print(
          `${this.#paint(event.diagnostic.severity === 'error' ? 'red' : 'yellow', event.diagnostic.severity)}[${event.diagnostic.code}] ${visible(event.diagnostic.message)}\n${event.diagnostic.help === undefined ? '' : `    help: ${visible(event.diagnostic.help)}\n`}`,
        );
        return;
      case 'pending-done':
        this.#pending.get(event.text)?.delete(event.host);
        if (this.#pending.get(event.text)?.size === 0) this.#pending.delete(event.text);
        return;
      case 'host-finished':
        this.#working.delete(event.host);
        return;
      case 'run-started':
        return;
      case 'run-finished':
        this.#flush();
        this.#recap(event.outcome);
        return;
    }
  }

  #take(result: TaskResult): void {
    for (const item of result.pending) {
      const hosts = this.#pending.get(item) ?? new Set();
      hosts.add(result.host);
      this.#pending.set(item, hosts);
    }
    if (!this.#isShown(result)) return;
    const key = `${result.at} ${result.task}`;
    if (!this.#groups.has(key)) {
      this.#groups.set(key, []);
      this.#order.push(key);
    }
    const groups = this.#groups.get(key)!;
    const diff = linesOf(result.changes).join('\n');
    const same = groups.find(
      (g) =>
        g.diff === diff &&
        g.result.status === result.status &&
        g.result.message === result.message &&
        JSON.stringify(g.result.item) === JSON.stringify(result.item),
    );
    if (same === undefined) groups.push({hosts: [result.host], result, diff});
    else same.hosts.push(result.host);
    if (this.#hosts <= 1) this.#flush();
    else if (this.#order.length > 1) this.#flushOldest();
  }

  #isShown(result: TaskResult): boolean {
    if (this.#options.verbosity > 0) return true;
    if (result.status === 'ok') return result.message !== undefined || result.findings.length > 0;
    return result.status !== 'skipped';
  }

  /** With several hosts a task is held back until another one has results too, so that equal ones can be grouped. */
  #flushOldest(): void {
    while (this.#order.length > 12) this.#printTask(this.#order.shift()!);
  }

  #flush(): void {
    for (const key of this.#order.splice(0)) this.#printTask(key);
  }

  #printTask(key: string): void {
    const groups = this.#groups.get(key);
    this.#groups.delete(key);
    for (const group of groups ?? []) this.#printGroup(group);
  }

  #printGroup({hosts: unordered, result, diff}: Group): void {
    const hosts = unordered.toSorted((a, b) => this.#playHosts.indexOf(a) - this.#playHosts.indexOf(b));
    const [mark, style, word] = this.#markOf(result);
    const item = result.item === null || result.item === undefined ? '' : ` [${visible(itemText(result.item))}]`;
    const where = `${this.#paint('dim', 'on')} ${hostList(hosts)}`;
    let text = `${this.#paint(style, mark)} ${visible(result.task)}${item} ${this.#paint('dim', `(${result.module})`)} ${this.#paint(style, word)} ${where}\n`;
    if (result.message !== undefined) text += indent(visible(result.message));
    if (result.command !== undefined) {
      text += indent(
        `exit status ${result.command.exit} after ${(result.command.durationMs / 1000).toFixed(1)} s: ${visible(result.command.label)}`,
      );
      if (result.command.stderr.includes('\n')) text += indent(visible(result.command.stderr));
    }
    if (result.status === 'failed' || result.status === 'refused')
      text += this.#paint('dim', indent(`at ${result.at}`));
    if (result.help !== undefined) text += indent(`help: ${visible(result.help)}`);
    for (const finding of result.findings) {
      if (result.status === 'refused' && finding.message === result.message) continue;
      const severity = finding.severity ?? 'error';
      text += indent(
        `${this.#paint(severity === 'error' ? 'red' : 'yellow', severity)}[${finding.code}] ${visible(finding.message)}${finding.help === undefined ? '' : `\n  help: ${visible(finding.help)}`}`,
      );
    }
    if (this.#options.showDiff && diff !== '') text += this.#paintDiff(diff);
    this.#print(text);
  }

  #markOf(result: TaskResult): [string, Style, string] {
    switch (result.status) {
      case 'ok':
        return ['·', 'green', 'ok'];
      case 'changed':
        return ['~', 'yellow', this.#check ? 'would change' : 'changed'];
      case 'skipped':
        return ['-', 'cyan', 'skipped'];
      case 'unknown':
        if (this.#options.mode === 'plan')
          return ['?', 'magenta', result.everyRun ? 'runs when applied' : 'decided when applied'];
        return ['?', 'magenta', result.everyRun ? 'would run' : 'unknown until applied'];
      case 'ignored':
        return ['!', 'yellow', 'failed, ignored'];
      case 'refused':
        return ['✗', 'red', 'refused'];
      case 'failed':
        return ['✗', 'red', 'failed'];
    }
  }

  #paintDiff(diff: string): string {
    return diff
      .split('\n')
      .map((line) => {
        const safe = visible(line);
        if (line.startsWith('+')) return `    ${this.#paint('green', safe)}\n`;
        if (line.startsWith('-')) return `    ${this.#paint('red', safe)}\n`;
        if (line.startsWith('~ ')) return `    ${this.#paint('yellow', safe)}\n`;
        return line.startsWith('@@') ? `    ${this.#paint('cyan', safe)}\n` : `    ${safe}\n`;
      })
      .join('');
  }

  #recap(outcome: RunOutcome): void {
    const names = Object.keys(outcome.hosts);
    this.#print(`\n${this.#paint('bold', 'RECAP')}\n`);
    // a fleet whose hosts each had a line would push everything else off the screen
    const together = names.length > 30;
    const lines = new Map<string, {readonly s: HostSummary; readonly text: string; readonly hosts: string[]}>();
    for (const name of names) {
      const s = outcome.hosts[name]!;
      const exchanges = `  ${s.roundTrips} ${s.roundTrips === 1 ? 'exchange' : 'exchanges'}`;
      const text = `${counts(s, this.#check)}${this.#paint('dim', exchanges)}`;
      const key = together ? `${s.status} ${text}` : name;
      const line = lines.get(key) ?? {s, text, hosts: []};
      line.hosts.push(name);
      lines.set(key, line);
    }
    const who = (hosts: readonly string[]): string =>
      hosts.length > 3 ? `${hostList(hosts, 4)} (${hosts.length} hosts)` : hosts.join(', ');
    const width = Math.max(4, ...[...lines.values()].map(({hosts}) => who(hosts).length));
    for (const {s, text, hosts} of lines.values())
      this.#print(`  ${this.#statusMark(s)} ${who(hosts).padEnd(width)}  ${text}\n`);
    if (this.#pending.size > 0) {
      this.#print(`\n${this.#paint('bold', 'PENDING')} ${this.#paint('dim', '(outside of this run)')}\n`);
      for (const [text, hosts] of this.#pending)
        this.#print(`  ${this.#paint('yellow', '!')} ${hostList([...hosts])}: ${visible(text)}\n`);
    }
    const bad = names.filter((name) => ['failed', 'unreachable'].includes(outcome.hosts[name]!.status));
    if (bad.length > 0)
      this.#print(
        this.#options.mode === 'apply'
          ? `\nMake a new plan for the hosts that failed: ${this.#paint('bold', `tsplay plan … -l ${bad.join(',')}`)}\n`
          : `\nRun the failed hosts again with: ${this.#paint('bold', rerun(this.#options.command, bad))}\n`,
      );
    this.#print(
      `\n${this.#verdict(outcome)} ${this.#paint('dim', `in ${(outcome.run.durationMs / 1000).toFixed(1)} s`)}\n`,
    );
  }

  #verdict(outcome: RunOutcome): string {
    const all = Object.values(outcome.hosts);
    const changed = all.reduce((n, s) => n + s.changed, 0);
    if (outcome.run.exit === 0) {
      if (all.length === 0) return 'Nothing to do.';
      if (this.#check) return this.#paint('green', 'As declared.');
      return changed === 0
        ? this.#paint('green', 'As declared; nothing changed.')
        : this.#paint('green', `As declared now; ${changed} changed.`);
    }
    const parts: string[] = [];
    if (outcome.run.exit & 2) parts.push(this.#paint('red', 'failed'));
    if (outcome.run.exit & 4) parts.push(this.#paint('red', 'hosts unreachable'));
    if (outcome.run.exit & 8) parts.push(this.#paint('yellow', `not as declared: ${changed} would change`));
    return `${parts.join(', ')} (exit ${outcome.run.exit})`;
  }

  #statusMark(s: HostSummary): string {
    if (s.status === 'ok') return this.#paint('green', '✓');
    return s.status === 'changed' ? this.#paint('yellow', '~') : this.#paint('red', '✗');
  }

  #live(): void {
    if (!this.#out.live) return;
    const names = [...this.#working];
    const shown = names
      .slice(0, 4)
      .map(([host, task]) => `${host}: ${visible(task)}`)
      .join(' · ');
    const more = names.length > 4 ? ` · +${names.length - 4}` : '';
    const line = `${this.#finishedTasks} tasks  ${shown}${more}`.slice(0, Math.max(20, this.#out.columns - 1));
    this.#out.write(`\r\u001b[2K${this.#paint('dim', line)}`);
    this.#liveShown = true;
  }

  #print(text: string): void {
    if (this.#liveShown) this.#out.write('\r\u001b[2K');
    this.#liveShown = false;
    this.#out.write(text);
  }

  #paint(style: Style, text: string): string {
    return this.#out.color ? styleText(style, text, {validateStream: false}) : text;
  }
}

function counts(s: HostSummary, check: boolean): string {
  if (s.status === 'unreachable') return `unreachable: ${visible(s.unreachable?.message ?? '')}`;
  const parts: [number, string][] = [
    [s.ok, 'ok'],
    [s.changed, check ? 'would change' : 'changed'],
    [s.failed, 'failed'],
    [s.refused, 'refused'],
    [s.unknown, 'unknown'],
    [s.ignored, 'ignored'],
    [s.skipped, 'skipped'],
  ];
  return parts
    .filter(([n], i) => n > 0 || i < 2)
    .map(([n, word]) => `${n} ${word}`)
    .join(', ');
}

function rerun(command: readonly string[], hosts: readonly string[]): string {
  const kept = command.filter(
    (word, i) =>
      word !== '-l' &&
      word !== '--limit' &&
      command[i - 1] !== '-l' &&
      command[i - 1] !== '--limit' &&
      !word.startsWith('--limit='),
  );
  // names beyond a line or two would hide the command; the history knows them
  return ['tsplay', ...kept, ...(hosts.length > 12 ? ['--resume'] : ['-l', hosts.join(',')])].join(' ');
}

function itemText(item: unknown): string {
  return typeof item === 'string' ? item : JSON.stringify(item).slice(0, 120);
}

function indent(text: string): string {
  return `${text.replace(/^/gm, '    ')}\n`;
}
