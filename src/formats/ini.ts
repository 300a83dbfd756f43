/*
 * INI files as `ini_file` edits them. A setting is compared by meaning (spaces around `=` do not count), an active line is
 * preferred to a commented one, and a commented one is only taken over where there is no active line: other people's comments stay.
 */
import {insertRaw, lineBody, lineEnd, splitLines} from './text-lines.ts';

/** One line. `option`: with `value` undefined for an option without `=`; `commented`: an option behind `#` or `;`, not in effect. */
export type IniLine =
  | {readonly kind: 'section'; readonly raw: string; readonly section: string}
  | {
      readonly kind: 'option' | 'commented';
      readonly raw: string;
      readonly option: string;
      readonly value: string | undefined;
    }
  | {readonly kind: 'other'; readonly raw: string};

export type Ini = {readonly lines: readonly IniLine[]};

/** Reads a file. Never fails: blank lines and comments are kept as `other`. */
export function parseIni(text: string): Ini {
  return {lines: splitLines(text).map(readLine)};
}

/** The exact text again: `printIni(parseIni(t)) === t`. */
export function printIni(ini: Ini): string {
  return ini.lines.map((line) => line.raw).join('');
}

function readLine(raw: string): IniLine {
  const body = lineBody(raw).replace(/^\ufeff/, '');
  const section = /^\[([^\]]*)\]/.exec(body)?.[1];
  if (section !== undefined) return {kind: 'section', raw, section};
  const [, comment, option, equals, value] =
    /^([#;]?)[ \t]*([^=#;\s][^=]*?)[ \t]*(?:(=)[ \t]*(.*?))?[ \t]*$/.exec(body) ?? [];
  // Prose in comments is not an option without value.
  if (option === undefined || (comment !== '' && equals === undefined)) return {kind: 'other', raw};
  return {kind: comment === '' ? 'option' : 'commented', raw, option, value};
}

/** Lines that belong to sections of this name, in order (a section may stand in the file twice); undefined: before the first section. */
function positionsIn(ini: Ini, section: string | undefined): readonly number[] {
  let here: string | undefined;
  return ini.lines.flatMap((line, index) => {
    if (line.kind === 'section') here = line.section;
    return here === section ? [index] : [];
  });
}

/** All values of an option in order; an option without `=` has `undefined`. `section` undefined: before the first section. */
export function iniValues(ini: Ini, section: string | undefined, option: string): readonly (string | undefined)[] {
  return positionsIn(ini, section).flatMap((index) => {
    const line = ini.lines[index];
    return line?.kind === 'option' && line.option === option ? [line.value] : [];
  });
}

/** Names of the sections, each once, in order. */
export function iniSections(ini: Ini): readonly string[] {
  return [...new Set(ini.lines.flatMap((line) => (line.kind === 'section' ? [line.section] : [])))];
}

/** Parameters of `ini_file`. */
export type IniEdit = {
  /** undefined or empty: before the first section */
  readonly section?: string;
  /** undefined: the section itself is meant */
  readonly option?: string;
  readonly values?: readonly string[];
  readonly state?: 'present' | 'absent';
  /** the option has these values and no others (default true) */
  readonly exclusive?: boolean;
  /** write `a=b` instead of `a = b` */
  readonly noExtraSpaces?: boolean;
  /** without values: write the option alone on its line */
  readonly allowNoValue?: boolean;
};

/** The file as `ini_file` leaves it; the same object where nothing is to do. */
export function editIni(ini: Ini, edit: IniEdit): Ini {
  const section = edit.section === undefined || edit.section === '' ? undefined : edit.section;
  if (edit.state === 'absent') return withoutOption(ini, section, edit);
  const rooted = withSection(ini, section);
  if (edit.option === undefined) return rooted;
  const values: (string | undefined)[] = [...new Set(edit.values ?? [])];
  if (values.length === 0) {
    if (edit.allowNoValue !== true) return rooted;
    values.push(undefined);
  }
  return withOption(rooted, section, edit.option, values, edit);
}

function withSection(ini: Ini, section: string | undefined): Ini {
  if (section === undefined || iniSections(ini).includes(section)) return ini;
  return {lines: insertRaw(ini.lines, ini.lines.length, [readLine(`[${section}]\n`)])};
}

function withOption(
  ini: Ini,
  section: string | undefined,
  option: string,
  values: readonly (string | undefined)[],
  {exclusive = true, noExtraSpaces = false}: IniEdit,
): Ini {
  const equals = noExtraSpaces ? '=' : ' = ';
  const written = (value: string | undefined): string => (value === undefined ? option : `${option}${equals}${value}`);
  const positions = positionsIn(ini, section);
  const of = (kind: 'option' | 'commented'): readonly number[] =>
    positions.filter((index) => {
      const line = ini.lines[index];
      return line?.kind === kind && line.option === option;
    });
  const valueAt = (index: number): string | undefined => {
    const line = ini.lines[index];
    return line?.kind === 'option' ? line.value : undefined;
  };

  const missing = [...values];
  const free: number[] = [];
  for (const index of of('option')) {
    const found = missing.indexOf(valueAt(index));
    if (found >= 0) missing.splice(found, 1);
    else free.push(index);
  }
  const active = of('option').length;
  if (missing.length === 0 && (!exclusive || free.length === 0)) return ini;
  const lines: (IniLine | undefined)[] = [...ini.lines];
  const rewrite = (index: number, value: string | undefined): void => {
    const raw = ini.lines[index]?.raw ?? '';
    const indent = /^[ \t]*/.exec(raw)?.[0] ?? '';
    lines[index] = readLine(indent + written(value) + (lineEnd(raw) || '\n'));
  };
  // Only with `exclusive` may a line with another value be taken over.
  const reusable = exclusive
    ? [...free, ...(active === 0 ? of('commented') : [])]
    : active === 0
      ? of('commented')
      : [];
  for (const index of reusable) {
    if (missing.length > 0) rewrite(index, missing.shift());
    else if (free.includes(index)) lines[index] = undefined;
  }
  const added = missing.map((value) => readLine(`${written(value)}\n`));
  const place = endOfSection(ini, section);
  const before = lines.slice(0, place).filter((line) => line !== undefined);
  const after = lines.slice(place).filter((line) => line !== undefined);
  return {lines: insertRaw([...before, ...after], before.length, added)};
}

/** Behind the last line of the first section of this name that is neither blank nor a comment. */
function endOfSection(ini: Ini, section: string | undefined): number {
  const start =
    section === undefined ? 0 : ini.lines.findIndex((line) => line.kind === 'section' && line.section === section);
  const next = ini.lines.findIndex(
    (line, index) => line.kind === 'section' && (section === undefined || index > start),
  );
  const end = next < 0 ? ini.lines.length : next;
  const last = ini.lines.slice(start, end).findLastIndex(({kind}) => kind === 'option' || kind === 'section');
  return start + last + 1;
}

function withoutOption(ini: Ini, section: string | undefined, edit: IniEdit): Ini {
  const gone = positionsIn(ini, section).filter((index) => {
    const line = ini.lines[index];
    if (edit.option === undefined) return true;
    if (line?.kind !== 'option' || line.option !== edit.option) return false;
    return (edit.exclusive ?? true) || (edit.values ?? []).includes(line.value ?? '');
  });
  return gone.length === 0 ? ini : {lines: ini.lines.filter((_, index) => !gone.includes(index))};
}
