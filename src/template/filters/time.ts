// Filters on dates.
import {strftime, strptime} from '../date.ts';
import type {Filter, Site} from '../environment.ts';
import {isFlagged} from '../boolean.ts';
import {Misuse} from '../fault.ts';
import {isNumeric, toNumber} from '../number.ts';
import {plain} from './text.ts';

/** The environment's clock. *errors*: Misuse where there is none. */
export function clock(site: Pick<Site, 'environment'>): Date {
  const now = site.environment.now?.();
  if (now === undefined) throw new Misuse('there is no clock here', 'not-available');
  return now;
}

function formatted(site: Site, format: unknown, second: unknown, utc: unknown): string {
  const seconds =
    second === undefined || second === null
      ? clock(site).getTime() / 1000
      : isNumeric(second)
        ? toNumber(second)
        : Number(plain(second));
  if (!Number.isFinite(seconds)) throw new Misuse(`Invalid value for epoch value (${plain(second)})`);
  const date = new Date(Math.floor(seconds) * 1000);
  if (isFlagged(utc)) return strftime(plain(format), date, 0, 'UTC');
  const offset = -date.getTimezoneOffset();
  const zone =
    /\(([^)]+)\)|([A-Z]{2,5})$/.exec(new Intl.DateTimeFormat('en-US', {timeZoneName: 'short'}).format(date))?.[2] ??
    'UTC';
  return strftime(plain(format), new Date(date.getTime() + offset * 60_000), offset, zone);
}

export const timeFilters: readonly (readonly [string, Filter])[] = [
  [
    'to_datetime',
    {
      params: ['format'],
      apply: (_site, value, format?: unknown) =>
        strptime(plain(value), format === undefined ? '%Y-%m-%d %H:%M:%S' : plain(format)),
    },
  ],
  [
    'strftime',
    {
      params: ['second', 'utc'],
      apply: (site, value, second?: unknown, utc?: unknown) => formatted(site, value, second, utc),
    },
  ],
];
