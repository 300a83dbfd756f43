/* fstab(5): `source path type options dump pass`, blanks in names as `\040`. Entries keep their place, their blanks and what the edit does not name. */
import {appendColumns, optionSet, parseColumns, withColumns} from './columns.ts';
import type {ColumnLine} from './columns.ts';

export type FstabEntry = {
  /** `/dev/…`, `UUID=…`, `host:/export`, … with real blanks */
  readonly source: string;
  /** mount point, or `none` (swap), with real blanks */
  readonly path: string;
  readonly type: string;
  readonly options: readonly string[];
  readonly dump: number;
  readonly pass: number;
};

export type Fstab = {readonly lines: readonly ColumnLine[]};

/** Reads the file. Never fails: lines with fewer than three columns are kept as they are. */
export function parseFstab(text: string): Fstab {
  return {lines: parseColumns(text, 3)};
}

/** The exact text again: `printFstab(parseFstab(t)) === t`. */
export function printFstab(file: Fstab): string {
  return file.lines.map((line) => line.raw).join('');
}

/** A name as getmntent(3) reads it: `\040` is a blank. */
export function unescapeFstab(field: string): string {
  return field.replace(/\\([0-7]{3})/g, (_, digits: string) => String.fromCharCode(parseInt(digits, 8)));
}

/** A name as it has to be written: blank, tab, newline, `#` at the start and backslash as octal escapes. */
export function escapeFstab(name: string): string {
  return name.replace(/[ \t\n\\]|^#/g, (char) => `\\${char.charCodeAt(0).toString(8).padStart(3, '0')}`);
}

function entryOf({fields}: ColumnLine): FstabEntry | undefined {
  const [source, path, type, options = 'defaults', dump = '0', pass = '0'] = fields ?? [];
  if (source === undefined || path === undefined || type === undefined) return undefined;
  return {
    source: unescapeFstab(source),
    path: unescapeFstab(path),
    type,
    options: options.split(',').map(unescapeFstab),
    dump: Number(dump) || 0,
    pass: Number(pass) || 0,
  };
}

/** All entries in order. */
export function fstabEntries(file: Fstab): readonly FstabEntry[] {
  return file.lines.flatMap((line) => entryOf(line) ?? []);
}

/** The entry that is meant: of this mount point, and of this source too where the path is `none` (swap) . */
function isSamePlace(a: FstabEntry, b: Pick<FstabEntry, 'source' | 'path'>): boolean {
  const trimmed = (path: string): string => path.replace(/(?<=.)\/+$/, '');
  return trimmed(a.path) === trimmed(b.path) && (b.path !== 'none' || a.source === b.source);
}

/** The entry of a mount point. Swap areas all have the path `none`: name their source too. */
export function fstabEntry(file: Fstab, path: string, source = ''): FstabEntry | undefined {
  return fstabEntries(file).find((entry) => isSamePlace(entry, {path, source}));
}

/** Whether two entries mean the same; the order of options does not count, `defaults` adds nothing. */
export function sameFstabEntry(a: FstabEntry, b: FstabEntry): boolean {
  const meaning = ({source, path, type, options, dump, pass}: FstabEntry): string =>
    JSON.stringify([source, path, type, optionSet(options), dump, pass]);
  return meaning(a) === meaning(b);
}

/** The file with this entry: the one of that place changed in place, or a new last line. Nothing changes where it means the same already. */
export function setFstabEntry(file: Fstab, entry: FstabEntry): Fstab {
  const options = entry.options.length > 0 ? entry.options.map(escapeFstab).join(',') : 'defaults';
  const fields = [
    escapeFstab(entry.source),
    escapeFstab(entry.path),
    entry.type,
    options,
    String(entry.dump),
    String(entry.pass),
  ];
  const found = file.lines.findIndex((line) => {
    const old = entryOf(line);
    return old !== undefined && isSamePlace(old, entry);
  });
  const line = file.lines[found];
  if (line === undefined) return {lines: appendColumns(file.lines, fields)};
  const old = entryOf(line);
  if (old !== undefined && sameFstabEntry(old, entry)) return file;
  if (old !== undefined && optionSet(old.options).join() === optionSet(entry.options).join()) {
    fields[3] = line.fields?.[3] ?? options;
  }
  return {lines: file.lines.with(found, withColumns(line, fields))};
}

/** The file without any entry of that mount point (and source, for `none`). */
export function removeFstabEntry(file: Fstab, path: string, source = ''): Fstab {
  return {
    lines: file.lines.filter((line) => {
      const entry = entryOf(line);
      return entry === undefined || !isSamePlace(entry, {path, source});
    }),
  };
}
