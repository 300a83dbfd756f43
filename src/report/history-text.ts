// The history for people: lists of runs, one run with its diffs, two runs side by side.
import {styleText} from 'node:util';
import {visible} from '../base/visible.ts';
import {hostList} from './host-list.ts';
import type {Compared, Comparison} from '../store/compare.ts';
import type {RecordedRun} from '../store/recorded-run.ts';
import type {RecordedResult, RecordedStatus, RunBrief} from '../store/records.ts';

type Style = Parameters<typeof styleText>[0];

/** How text is painted: with colours, or not at all. */
export type Paint = (style: Style, text: string) => string;

/** Paints for a terminal, or leaves everything as it is. */
export function painter(color: boolean): Paint {
  return (style, text) => (color ? styleText(style, text, {validateStream: false}) : text);
}

const styles: Readonly<Record<RecordedStatus, Style>> = {
  running: 'cyan',
  ok: 'green',
  changed: 'yellow',
  failed: 'red',
  unreachable: 'red',
  interrupted: 'magenta',
  'cut-off': 'magenta',
  refused: 'red',
};

/** One line a run: id, when, mode, how it stands, hosts, who, playbooks. */
export function listText(briefs: readonly RunBrief[], paint: Paint): string {
  if (briefs.length === 0) return 'no runs\n';
  const rows = briefs.map((brief) => [
    brief.id,
    brief.mode,
    statusWord(brief),
    hostsText(brief),
    brief.end === undefined ? '' : seconds(brief.end.durationMs),
    `${brief.by.user}@${brief.by.controller}${brief.by.from === null ? '' : ` from ${brief.by.from}`}`,
    brief.playbooks.map(visible).join(' '),
  ]);
  const widths = rows[0]!.map((_, column) => Math.max(...rows.map((row) => row[column]!.length)));
  return rows
    .map((row, i) =>
      row
        .map((cell, column) => {
          const padded = column === row.length - 1 ? cell : cell.padEnd(widths[column]!);
          return column === 2 ? paint(styles[briefs[i]!.status], padded) : padded;
        })
        .join('  ')
        .trimEnd(),
    )
    .join('\n')
    .concat('\n');
}

function statusWord({status, mode}: RunBrief): string {
  return status === 'changed' && (mode === 'check' || mode === 'plan') ? 'differs' : status;
}

function hostsText({end, mode}: RunBrief): string {
  if (end === undefined) return '';
  const {ok, changed, failed, unreachable} = end.hosts;
  const differ = mode === 'check' || mode === 'plan' ? 'differ' : 'changed';
  const parts = [
    [ok, 'ok'],
    [changed, differ],
    [failed, 'failed'],
    [unreachable, 'unreachable'],
  ] as const;
  return parts.flatMap(([count, word]) => (count > 0 ? [`${count} ${word}`] : [])).join(', ');
}

function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(1)} s`;
}

/** One run: who, from where, with what, then what became of each task with its diff, then the hosts. `isAll`: tasks that say nothing too. */
export function runText(run: RecordedRun, paint: Paint, isAll: boolean): string {
  const {start, brief, site} = run;
  const {by, inputs, versions} = start;
  const head: (readonly [string, string])[] = [
    ['run', `${start.id} (${start.mode})`],
    ['playbooks', start.playbooks.join(' ')],
    ['started', start.started],
    [
      'by',
      `${by.user}@${by.controller}${by.sudoUser === undefined ? '' : ` (sudo from ${by.sudoUser})`}${by.from === null ? '' : ` from ${by.from}`}`,
    ],
    [
      'site',
      `${inputs.cwd}${site === undefined ? '' : ` at ${site.commit ?? 'no commit'}${site.dirty ? ', with changes that are not committed' : ''}`}`,
    ],
    ['inventory', inputs.inventories.join(' ')],
    ['limit', inputs.limit.join(' ')],
    ['tags', inputs.tags.join(',')],
    ['skipped tags', inputs.skipTags.join(',')],
    ['extra vars', inputs.extraVars.join(' ')],
    ['start at', inputs.startAtTask ?? ''],
    ['resumes', inputs.resumes ?? ''],
    ['puts back', inputs.rollsBack ?? ''],
    ['schedule', inputs.schedule ?? ''],
    [
      'versions',
      [
        `tsplay ${versions.tsplay}`,
        `node ${versions.node}`,
        ...Object.entries(versions.modules).map(([name, version]) => `${name} ${version}`),
      ].join(', '),
    ],
  ];
  const shown = head.filter(([, value]) => value !== '');
  const width = Math.max(...shown.map(([name]) => name.length));
  let text = shown.map(([name, value]) => `${paint('dim', name.padEnd(width))}  ${visible(value)}\n`).join('');
  if (run.lostRecords > 0)
    text += `${paint('red', `${run.lostRecords} records are missing: there was no room for them`)}\n`;
  text += '\n';
  for (const group of grouped(run.results.filter((result) => isAll || tells(result))))
    text += groupText(group, start.mode === 'check' || start.mode === 'plan', paint);
  for (const [host, {message}] of Object.entries(run.unreachable))
    text += `${paint('red', '✗')} ${host} unreachable: ${visible(message)}\n`;
  for (const {severity, code, message} of run.problems)
    text += `${paint(severity === 'error' ? 'red' : 'yellow', severity)}[${code}] ${visible(message)}\n`;
  const names = Object.keys(run.hosts);
  const hostWidth = Math.max(0, ...names.map((name) => name.length));
  for (const [name, s] of Object.entries(run.hosts)) {
    const style = s.status === 'ok' ? 'green' : s.status === 'changed' ? 'yellow' : 'red';
    const counts = (['ok', 'changed', 'failed', 'refused', 'unknown', 'ignored', 'skipped'] as const).flatMap((key) =>
      s[key] > 0 ? [`${s[key]} ${key}`] : [],
    );
    text += `  ${paint(style, s.status.padEnd(11))} ${name.padEnd(hostWidth)}  ${counts.join(', ')}\n`;
  }
  return `${text}\n${paint(styles[brief.status], statusWord(brief))}${brief.end === undefined ? '' : ` in ${seconds(brief.end.durationMs)} (exit ${brief.end.exit})`}\n`;
}

/** Whether a result is worth a line without being asked for. */
function tells(result: RecordedResult): boolean {
  return !(result.status === 'ok' || result.status === 'skipped') || result.findings.length > 0;
}

type Group = {readonly hosts: string[]; readonly result: RecordedResult};

/** Equal results of one task together, in the order of the first of each. */
function grouped(results: readonly RecordedResult[]): readonly Group[] {
  const groups = new Map<string, Group>();
  for (const result of results) {
    const key = JSON.stringify([result.at, result.task, result.item, result.status, result.diff, result.message]);
    const group = groups.get(key);
    if (group === undefined) groups.set(key, {hosts: [result.host], result});
    else group.hosts.push(result.host);
  }
  return [...groups.values()];
}

const marks: Readonly<Record<RecordedResult['status'], readonly [string, Style]>> = {
  ok: ['·', 'green'],
  changed: ['~', 'yellow'],
  skipped: ['-', 'cyan'],
  unknown: ['?', 'magenta'],
  ignored: ['!', 'yellow'],
  refused: ['✗', 'red'],
  failed: ['✗', 'red'],
};

function groupText({hosts, result}: Group, isCheck: boolean, paint: Paint): string {
  const [mark, style] = marks[result.status];
  const word = result.status === 'changed' && isCheck ? 'would change' : result.status;
  let text = `${paint(style, mark)} ${visible(result.task)}${itemText(result.item)} ${paint('dim', `(${result.module})`)} ${paint(style, word)} ${paint('dim', 'on')} ${hostList(hosts)}\n`;
  if (result.message !== '') text += indented(visible(result.message));
  if (result.command !== undefined && result.command.stderr !== '') text += indented(visible(result.command.stderr));
  for (const {severity, code, message} of result.findings) text += indented(`${severity}[${code}] ${visible(message)}`);
  return text + diffText(result.diff, paint);
}

function diffText(diff: string, paint: Paint): string {
  if (diff === '') return '';
  return diff
    .trimEnd()
    .split('\n')
    .map((line) => {
      const safe = visible(line);
      const style = line.startsWith('+')
        ? 'green'
        : line.startsWith('-')
          ? 'red'
          : line.startsWith('@@')
            ? 'cyan'
            : undefined;
      return `    ${style === undefined ? safe : paint(style, safe)}\n`;
    })
    .join('');
}

function itemText(item: unknown): string {
  if (item === null || item === undefined) return '';
  return ` [${visible(typeof item === 'string' ? item : JSON.stringify(item).slice(0, 120))}]`;
}

function indented(text: string): string {
  return `${text.replace(/^/gm, '    ')}\n`;
}

const words: Readonly<Record<Comparison['is'], readonly [string, Style]>> = {
  new: ['new', 'red'],
  fixed: ['fixed', 'green'],
  still: ['still', 'yellow'],
  other: ['other', 'yellow'],
  'only-a': ['only in A', 'dim'],
  'only-b': ['only in B', 'dim'],
};

/** Two runs: which differences are new, gone, or still there, by host and task. */
export function comparedText({tasks, hosts}: Compared, paint: Paint): string {
  let text = '';
  for (const is of ['new', 'other', 'still', 'fixed', 'only-a', 'only-b'] as const) {
    const [word, style] = words[is];
    for (const {host, task, module, item, a, b} of tasks.filter((each) => each.is === is)) {
      text += `${paint(style, word.padEnd(9))} ${host}  ${visible(task)}${itemText(item)} ${paint('dim', `(${module})`)} ${a?.status ?? 'absent'} → ${b?.status ?? 'absent'}\n`;
      if (is === 'new' || is === 'other' || is === 'only-b') text += diffText(b?.diff ?? '', paint);
    }
  }
  for (const {host, a, b} of hosts) text += `${'host'.padEnd(9)} ${host}  ${a ?? 'not in A'} → ${b ?? 'not in B'}\n`;
  return text === '' ? 'nothing differs in either run\n' : text;
}
