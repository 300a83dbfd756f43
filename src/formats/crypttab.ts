/* crypttab(5): `name device keyfile options`. Entries keep their place, their blanks and what the edit does not name. */
import {appendColumns, optionSet, parseColumns, withColumns} from './columns.ts';
import type {ColumnLine} from './columns.ts';

export type CrypttabEntry = {
  readonly name: string;
  /** path, `UUID=…`, `PARTUUID=…`, … */
  readonly device: string;
  /** `none`: ask for a passphrase (`-` in the file means the same) */
  readonly keyfile: string;
  readonly options: readonly string[];
};

export type Crypttab = {readonly lines: readonly ColumnLine[]};

/** Reads the file. Never fails: lines with fewer than two columns are kept as they are. */
export function parseCrypttab(text: string): Crypttab {
  return {lines: parseColumns(text, 2)};
}

/** The exact text again: `printCrypttab(parseCrypttab(t)) === t`. */
export function printCrypttab(file: Crypttab): string {
  return file.lines.map((line) => line.raw).join('');
}

function entryOf({fields}: ColumnLine): CrypttabEntry | undefined {
  const [name, device, keyfile = 'none', options = ''] = fields ?? [];
  if (name === undefined || device === undefined) return undefined;
  return {
    name,
    device,
    keyfile: keyfile === '-' ? 'none' : keyfile,
    options: options.split(',').filter((option) => option !== '' && option !== '-'),
  };
}

/** All entries in order. */
export function crypttabEntries(file: Crypttab): readonly CrypttabEntry[] {
  return file.lines.flatMap((line) => entryOf(line) ?? []);
}

/** The entry of a mapping name. */
export function crypttabEntry(file: Crypttab, name: string): CrypttabEntry | undefined {
  return crypttabEntries(file).find((entry) => entry.name === name);
}

/** Whether two entries mean the same; the order of options does not count. */
export function sameCrypttabEntry(a: CrypttabEntry, b: CrypttabEntry): boolean {
  const meaning = (entry: CrypttabEntry): string =>
    JSON.stringify([
      entry.name,
      entry.device,
      entry.keyfile === '-' ? 'none' : entry.keyfile,
      optionSet(entry.options),
    ]);
  return meaning(a) === meaning(b);
}

/** The file with this entry: the one of that name changed in place, or a new last line. Nothing changes where it means the same already. */
export function setCrypttabEntry(file: Crypttab, entry: CrypttabEntry): Crypttab {
  const fields = [entry.name, entry.device, entry.keyfile, entry.options.length > 0 ? entry.options.join(',') : 'none'];
  const found = file.lines.findIndex((line) => entryOf(line)?.name === entry.name);
  const line = file.lines[found];
  if (line === undefined) return {lines: appendColumns(file.lines, fields)};
  const old = entryOf(line);
  if (old !== undefined && sameCrypttabEntry(old, entry)) return file;
  const sameOptions = old !== undefined && optionSet(old.options).join() === optionSet(entry.options).join();
  if (sameOptions) fields[3] = line.fields?.[3] ?? fields[3] ?? 'none';
  return {lines: file.lines.with(found, withColumns(line, fields))};
}

/** The file without any entry of that name. */
export function removeCrypttabEntry(file: Crypttab, name: string): Crypttab {
  return {lines: file.lines.filter((line) => entryOf(line)?.name !== name)};
}
