// The times of a file, as Ansible's `file` takes them: left alone, now, or a given moment in the host's own time zone.
import type {Key} from './key.ts';
import type {Op} from './op.ts';
import type {Change} from './plan.ts';
import {nothing, type Probe} from './probe.ts';
import type {Problem} from './problem.ts';
import {read, stdoutText} from './reads.ts';
import {p, type Values} from './schema.ts';
import {sh} from './shell.ts';

const format = '%Y%m%d%H%M.%S';
export const timeParams = {
  modification_time: p.string(
    '`preserve`, `now` or a time of that format; `now` is what `touch` does, else it is left alone',
  ),
  modification_time_format: p.string('how `modification_time` is written, as for strptime(3)', {default: format}),
  access_time: p.string(
    '`preserve`, `now` or a time of that format; `now` is what `touch` does, else it is left alone',
  ),
  access_time_format: p.string('how `access_time` is written, as for strptime(3)', {default: format}),
} as const;
export type TimeValues = Values<typeof timeParams>;

/** *units*: seconds since the epoch; `wanted…` where a moment is given. */
export type FileTimes = {
  readonly access?: number;
  readonly modification?: number;
  readonly wantedAccess?: number;
  readonly wantedModification?: number;
};
type Wish = 'preserve' | 'now' | {readonly at: string};

/** `2026-01-31 12:30:00` from a text in strptime's format; undefined where it does not fit. */
function momentOf(text: string, pattern: string): string | undefined {
  const digits: Readonly<Record<string, string>> = {
    Y: '\\d{4}',
    m: '\\d\\d?',
    d: '\\d\\d?',
    H: '\\d\\d?',
    M: '\\d\\d?',
    S: '\\d\\d?',
  };
  const expression = pattern
    .replace(/%F/g, '%Y-%m-%d')
    .replace(/%T/g, '%H:%M:%S')
    .split(/(%.)/)
    .map((part) =>
      /^%[YmdHMS]$/.test(part)
        ? `(?<${part[1]!}>${digits[part[1]!]!})`
        : part === '%%'
          ? '%'
          : part.startsWith('%')
            ? '(?!)'
            : part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'),
    )
    .join('');
  try {
    const {
      Y = '1900',
      m = '1',
      d = '1',
      H = '0',
      M = '0',
      S = '0',
    } = new RegExp(`^${expression}$`).exec(text)?.groups ?? {m: ''};
    const two = (number: string): string => number.padStart(2, '0');
    const moment = `${Y}-${two(m)}-${two(d)} ${two(H)}:${two(M)}:${two(S)}`;
    return Number.isNaN(Date.parse(`${moment.replace(' ', 'T')}Z`)) ? undefined : moment;
  } catch {
    return undefined; // a field that stands twice
  }
}

function wish(text: string | undefined, pattern: string, otherwise: Wish): Wish | undefined {
  if (text === undefined) return otherwise;
  if (text === 'preserve' || text === 'now') return text;
  const at = momentOf(text, pattern);
  return at === undefined ? undefined : {at};
}

function wishes(v: TimeValues, touching: boolean): {access: Wish; modification: Wish} {
  const otherwise = touching ? 'now' : 'preserve';
  return {
    access: wish(v.access_time, v.access_time_format, otherwise) ?? 'preserve',
    modification: wish(v.modification_time, v.modification_time_format, otherwise) ?? 'preserve',
  };
}

/** Whether a time shall be that of the run, which it never is already. */
export function timesEveryRun(v: TimeValues, touching: boolean): boolean {
  const {access, modification} = wishes(v, touching);
  return access === 'now' || modification === 'now';
}

/** Texts that are no time. */
export function timeMistakes(v: TimeValues): readonly Problem[] {
  return (['modification_time', 'access_time'] as const).flatMap((name) =>
    wish(v[name], v[`${name}_format`], 'preserve') === undefined
      ? [
          {
            code: 'bad-param',
            message: `this is neither \`preserve\` nor \`now\` nor a time of the form ${v[`${name}_format`]}`,
            param: `/${name}`,
            help: `the fields %Y %m %d %H %M %S are known in \`${name}_format\``,
          },
        ]
      : [],
  );
}

/** Reads the times of a path, and what the given moments are in the host's zone, where moments are given. */
export function probeTimes(path: string, v: TimeValues): Probe<FileTimes> {
  const {access, modification} = wishes(v, false);
  if (typeof access === 'string' && typeof modification === 'string') return nothing({});
  const at = (moment: Wish): string => (typeof moment === 'string' ? '' : moment.at);
  return read(
    sh`stat -L -c '%X %Y' -- ${path} 2>/dev/null || echo '- -'
for m in ${at(access)} ${at(modification)}; do if [ -n "$m" ]; then env -u TZ date -d "$m" +%s; else echo -; fi; done`,
    (reply) => {
      const [access, modification, wantedAccess, wantedModification] = stdoutText(reply)
        .trim()
        .split(/\s+/)
        .map(Number);
      const known = (name: keyof FileTimes, value: number | undefined): FileTimes =>
        value === undefined || Number.isNaN(value) ? {} : {[name]: value};
      return {
        ...known('access', access),
        ...known('modification', modification),
        ...known('wantedAccess', wantedAccess),
        ...known('wantedModification', wantedModification),
      };
    },
    {dependsOn: [`file:${path}`, 'file:/etc/localtime']},
  );
}

/** What has to be done about the times of something that is there, or is made by the ops before. `link`: of the link itself. */
export function timesDiff(
  path: string,
  v: TimeValues,
  now: FileTimes,
  options: {readonly touching: boolean; readonly link: boolean; readonly isNew: boolean},
): {changes: readonly Change[]; ops: readonly Op[]} {
  const changes: Change[] = [];
  const ops: Op[] = [];
  const {access, modification} = wishes(v, options.touching);
  const key: Key = `file:${path}`;
  const set = (
    what: string,
    flag: string,
    wanted: Wish,
    before: number | undefined,
    after: number | undefined,
  ): void => {
    const touch = ['touch', '-c', ...(options.link ? ['-h'] : []), flag] as const;
    if (wanted === 'preserve') return;
    if (wanted === 'now') {
      if (options.isNew) return;
      changes.push({what, before: 'any', after: 'now'});
      ops.push({op: 'run', argv: [...touch, '--', path], affects: [key]});
    } else if (after !== undefined && after !== before) {
      changes.push({
        what,
        before: before === undefined || options.isNew ? undefined : isoTime(before),
        after: isoTime(after),
      });
      ops.push({op: 'run', argv: [...touch, '-d', `@${after}`, '--', path], affects: [key]});
    }
  };
  set('modification time', '-m', modification, now.modification, now.wantedModification);
  set('access time', '-a', access, now.access, now.wantedAccess);
  return {changes, ops};
}

function isoTime(seconds: number): string {
  return new Date(seconds * 1000).toISOString().replace('.000', '');
}
