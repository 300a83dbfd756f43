// Dates without time zone, as Python's naive datetime: what `to_datetime` gives and `strftime` prints.
import {Misuse} from './fault.ts';
import {repr} from './print.ts';
import {float, Func, Thing} from './values.ts';

const DAYS = ['Sunday', 'Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday'];
const MONTHS = [
  'January',
  'February',
  'March',
  'April',
  'May',
  'June',
  'July',
  'August',
  'September',
  'October',
  'November',
  'December',
];
const DAY_MS = 86_400_000;

function two(value: number, width = 2): string {
  return String(value).padStart(width, '0');
}

function isoWeek(date: Date): {year: number; week: number; day: number} {
  const day = date.getUTCDay() === 0 ? 7 : date.getUTCDay();
  const thursday = new Date(date.getTime() + (4 - day) * DAY_MS);
  const first = Date.UTC(thursday.getUTCFullYear(), 0, 1);
  return {year: thursday.getUTCFullYear(), week: Math.floor((thursday.getTime() - first) / DAY_MS / 7) + 1, day};
}

/** Prints a moment (its UTC fields) by strftime's letters in the C locale. *units*: `offsetMinutes` east of UTC, for %z. */
export function strftime(
  format: string,
  date: Date,
  offsetMinutes: number | undefined,
  zone: string,
  micros = 0,
): string {
  const dayOfYear =
    Math.floor(
      (Date.UTC(date.getUTCFullYear(), date.getUTCMonth(), date.getUTCDate()) - Date.UTC(date.getUTCFullYear(), 0, 1)) /
        DAY_MS,
    ) + 1;
  const hour12 = date.getUTCHours() % 12 === 0 ? 12 : date.getUTCHours() % 12;
  const weekday = date.getUTCDay();
  const one = (letter: string): string | undefined => {
    switch (letter) {
      case 'Y':
        return two(date.getUTCFullYear(), 4);
      case 'C':
        return two(Math.floor(date.getUTCFullYear() / 100));
      case 'y':
        return two(date.getUTCFullYear() % 100);
      case 'm':
        return two(date.getUTCMonth() + 1);
      case 'd':
        return two(date.getUTCDate());
      case 'e':
        return String(date.getUTCDate()).padStart(2);
      case 'H':
        return two(date.getUTCHours());
      case 'k':
        return String(date.getUTCHours()).padStart(2);
      case 'I':
        return two(hour12);
      case 'l':
        return String(hour12).padStart(2);
      case 'M':
        return two(date.getUTCMinutes());
      case 'S':
        return two(date.getUTCSeconds());
      case 'f':
        return two(date.getUTCMilliseconds() * 1000 + micros, 6);
      case 'p':
        return date.getUTCHours() < 12 ? 'AM' : 'PM';
      case 'P':
        return date.getUTCHours() < 12 ? 'am' : 'pm';
      case 'a':
        return (DAYS[weekday] ?? '').slice(0, 3);
      case 'A':
        return DAYS[weekday];
      case 'b':
      case 'h':
        return (MONTHS[date.getUTCMonth()] ?? '').slice(0, 3);
      case 'B':
        return MONTHS[date.getUTCMonth()];
      case 'j':
        return two(dayOfYear, 3);
      case 'u':
        return String(weekday === 0 ? 7 : weekday);
      case 'w':
        return String(weekday);
      case 'U':
        return two(Math.floor((dayOfYear + 6 - weekday) / 7));
      case 'W':
        return two(Math.floor((dayOfYear + 6 - ((weekday + 6) % 7)) / 7));
      case 'V':
        return two(isoWeek(date).week);
      case 'G':
        return String(isoWeek(date).year);
      case 'g':
        return two(isoWeek(date).year % 100);
      case 's':
        return String(Math.floor(date.getTime() / 1000) - (offsetMinutes ?? 0) * 60);
      case 'z':
        if (offsetMinutes === undefined) return '';
        return `${offsetMinutes < 0 ? '-' : '+'}${two(Math.floor(Math.abs(offsetMinutes) / 60))}${two(Math.abs(offsetMinutes) % 60)}`;
      case 'Z':
        return zone;
      case 'F':
        return all('%Y-%m-%d');
      case 'T':
      case 'X':
        return all('%H:%M:%S');
      case 'R':
        return all('%H:%M');
      case 'D':
      case 'x':
        return all('%m/%d/%y');
      case 'c':
        return all('%a %b %e %H:%M:%S %Y');
      case 'r':
        return all('%I:%M:%S %p');
      case 'n':
        return '\n';
      case 't':
        return '\t';
      case '%':
        return '%';
      default:
        return undefined;
    }
  };
  const all = (text: string): string =>
    text.replaceAll(/%(-)?([a-zA-Z%])/g, (whole, dash: string | undefined, letter: string) => {
      const shown = one(letter);
      return shown === undefined ? whole : dash === undefined ? shown : shown.replace(/^[0 ]+(?=\d)/, '');
    });
  return all(format);
}

const FIELDS: Readonly<Record<string, string>> = {
  Y: '(?<Y>\\d{4})',
  y: '(?<y>\\d{2})',
  m: '(?<m>1[0-2]|0?[1-9])',
  d: '(?<d>3[01]|[12]\\d|0?[1-9]| [1-9])',
  H: '(?<H>2[0-3]|[01]?\\d)',
  I: '(?<I>1[0-2]|0?[1-9])',
  M: '(?<M>[0-5]?\\d)',
  S: '(?<S>6[01]|[0-5]?\\d)',
  f: '(?<f>\\d{1,6})',
  p: '(?<p>[AaPp][Mm])',
  b: `(?<b>${MONTHS.map((name) => name.slice(0, 3)).join('|')})`,
  B: `(?<B>${MONTHS.join('|')})`,
  a: `(?:${DAYS.map((name) => name.slice(0, 3)).join('|')})`,
  A: `(?:${DAYS.join('|')})`,
  j: '(?<j>\\d{1,3})',
  z: '(?<z>[+-]\\d{2}:?\\d{2}|Z)',
  Z: '(?:UTC|GMT)?',
  '%': '%',
};

/** Reads a date by strptime's letters. *errors*: Misuse. */
export function strptime(text: string, format: string): DateTime {
  const expanded = format
    .replaceAll('%T', '%H:%M:%S')
    .replaceAll('%F', '%Y-%m-%d')
    .replaceAll('%R', '%H:%M')
    .replaceAll('%D', '%m/%d/%y');
  const source = expanded.replaceAll(/%([a-zA-Z%])|\s+|[.*+?^${}()|[\]\\/]/g, (whole, letter?: string) => {
    if (letter === undefined) return /\s/.test(whole) ? '\\s+' : `\\${whole}`;
    const field = Object.hasOwn(FIELDS, letter) ? FIELDS[letter] : undefined;
    if (field === undefined) throw new Misuse(`'${letter}' is a bad directive in format '${format}'`, 'bad-argument');
    return field;
  });
  const found = new RegExp(`^${source}$`, 'i').exec(text)?.groups;
  if (found === undefined) throw new Misuse(`time data '${text}' does not match format '${format}'`, 'bad-date');
  const number = (name: string, fallback: number): number =>
    found[name] === undefined ? fallback : Number(found[name]);
  const shortYear = number('y', -1);
  const year = number('Y', shortYear < 0 ? 1900 : shortYear < 69 ? 2000 + shortYear : 1900 + shortYear);
  const named = (found['b'] ?? found['B'])?.slice(0, 3).toLowerCase();
  const month =
    named === undefined ? number('m', 1) : MONTHS.findIndex((name) => name.slice(0, 3).toLowerCase() === named) + 1;
  let hour = number('H', number('I', 0));
  if (found['p'] !== undefined) hour = (hour % 12) + (found['p'].toLowerCase() === 'pm' ? 12 : 0);
  const day = found['j'] === undefined ? number('d', 1) : 1;
  const micros = Number((found['f'] ?? '0').padEnd(6, '0'));
  let ms = Date.UTC(year, month - 1, day, hour, number('M', 0), number('S', 0), Math.floor(micros / 1000));
  if (found['j'] !== undefined) ms += (Number(found['j']) - 1) * DAY_MS;
  if (found['j'] === undefined && new Date(ms).getUTCDate() !== day)
    throw new Misuse('day is out of range for month', 'bad-date');
  return new DateTime(ms, micros % 1000);
}

/** A span of time. */
export class TimeDelta extends Thing {
  readonly kind = 'timedelta';
  readonly #ms: number;

  constructor(ms: number) {
    super();
    this.#ms = ms;
  }

  attribute(name: string): unknown {
    const days = Math.floor(this.#ms / DAY_MS);
    const rest = this.#ms - days * DAY_MS;
    switch (name) {
      case 'days':
        return days;
      case 'seconds':
        return Math.floor(rest / 1000);
      case 'microseconds':
        return (rest % 1000) * 1000;
      case 'total_seconds':
        return new Func(name, () => float(this.#ms / 1000));
      default:
        return undefined;
    }
  }

  attributeNames(): Iterable<string> {
    return ['days', 'seconds', 'microseconds', 'total_seconds'];
  }

  text(): string {
    const days = Math.floor(this.#ms / DAY_MS);
    const seconds = Math.floor((this.#ms - days * DAY_MS) / 1000);
    const head = days === 0 ? '' : `${days} day${Math.abs(days) === 1 ? '' : 's'}, `;
    const part = this.#ms % 1000 === 0 ? '' : `.${two((((this.#ms % 1000) + 1000) % 1000) * 1000, 6)}`;
    return `${head}${Math.floor(seconds / 3600)}:${two(Math.floor(seconds / 60) % 60)}:${two(seconds % 60)}${part}`;
  }
}

/** A date with time. */
export class DateTime extends Thing {
  readonly kind = 'datetime';
  readonly #ms: number;
  readonly #micros: number;

  constructor(ms: number, micros = 0) {
    super();
    this.#ms = ms;
    this.#micros = micros;
  }

  get #date(): Date {
    return new Date(this.#ms);
  }

  attribute(name: string): unknown {
    const date = this.#date;
    switch (name) {
      case 'year':
        return date.getUTCFullYear();
      case 'month':
        return date.getUTCMonth() + 1;
      case 'day':
        return date.getUTCDate();
      case 'hour':
        return date.getUTCHours();
      case 'minute':
        return date.getUTCMinutes();
      case 'second':
        return date.getUTCSeconds();
      case 'microsecond':
        return date.getUTCMilliseconds() * 1000 + this.#micros;
      case 'strftime':
        return new Func(name, ([format]) => strftime(String(format), date, undefined, '', this.#micros));
      case 'isoformat':
        return new Func(name, () => this.text().replace(' ', 'T'));
      case 'timestamp':
        return new Func(name, () => float(this.#ms / 1000));
      case 'weekday':
        return new Func(name, () => (date.getUTCDay() + 6) % 7);
      case 'isoweekday':
        return new Func(name, () => ((date.getUTCDay() + 6) % 7) + 1);
      case 'date':
        return new Func(name, () => strftime('%Y-%m-%d', date, undefined, ''));
      case 'time':
        return new Func(name, () => strftime('%H:%M:%S', date, undefined, ''));
      case '__sub__':
        return new Func(name, ([other]) => this.#minus(other));
      default:
        return undefined;
    }
  }

  #minus(other: unknown): TimeDelta {
    if (!(other instanceof DateTime))
      throw new Misuse(`cannot take ${String(repr(other))} from a date`, 'template-type');
    return new TimeDelta(this.#ms - other.#ms + (this.#micros - other.#micros) / 1000);
  }

  attributeNames(): Iterable<string> {
    return [
      'year',
      'month',
      'day',
      'hour',
      'minute',
      'second',
      'microsecond',
      'strftime',
      'isoformat',
      'timestamp',
      'weekday',
      'date',
      'time',
    ];
  }

  text(): string {
    const micros = this.attribute('microsecond');
    return strftime(
      micros === 0 ? '%Y-%m-%d %H:%M:%S' : '%Y-%m-%d %H:%M:%S.%f',
      this.#date,
      undefined,
      '',
      this.#micros,
    );
  }
}
