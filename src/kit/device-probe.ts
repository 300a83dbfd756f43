import {describeDevice, type DeviceContents} from '../formats/device-contents.ts';
import {quote, rawShell, type ShellText} from './shell.ts';

/** What a path is, and what it carries. `unclear`: the programs that could say so are missing or failed. */
export type DeviceState = {
  readonly kind: 'absent' | 'block' | 'file' | 'other';
  readonly readable: boolean;
  readonly sizeBytes: number;
  readonly contents: DeviceContents;
  readonly unclear: string | undefined;
};

/** Marks the sections of a fragment's output: a line that begins with this character and names the section. */
const mark = '\u0001';

/**
 * Shell that says what a device (or a regular file that serves as one) is, carries and is used by, as sections for {@link deviceFrom}.
 * Every program that knows something is asked; what none of them knows cannot be found.
 */
export function deviceShell(path: string): ShellText {
  return rawShell(`dev=${quote(path)}
sec() { printf '\\001%s\\n' "$1"; }
sec kind; if [ -b "$dev" ]; then echo block; elif [ -f "$dev" ]; then echo file; elif [ -e "$dev" ]; then echo other; else echo absent; fi
if [ -b "$dev" ] || [ -f "$dev" ]; then
sec readable; head -c 1 "$dev" >/dev/null 2>&1 && echo yes
sec size; if [ -b "$dev" ]; then blockdev --getsize64 "$dev" 2>/dev/null; else stat -Lc %s "$dev"; fi
sec tools; command -v blkid wipefs
sec blkid; blkid -p -o export "$dev" 2>/dev/null
sec wipefs; wipefs -J -n "$dev" 2>/dev/null
if [ -b "$dev" ]; then sec lsblk; lsblk -J -b -o NAME,PATH,TYPE,FSTYPE,UUID,LABEL,PTTYPE,MOUNTPOINTS,SIZE "$dev" 2>/dev/null
else sec loops; losetup -n -O NAME -j "$dev" 2>/dev/null; fi
fi`);
}

/** The sections of an output by name; a name that comes several times gets `name#2` and so on. */
export function sectionsOf(output: string): ReadonlyMap<string, string> {
  const found = new Map<string, string>();
  for (const part of output.split(mark).slice(1)) {
    const end = part.indexOf('\n');
    const name = end < 0 ? part : part.slice(0, end);
    found.set(name, end < 0 ? '' : part.slice(end + 1));
  }
  return found;
}

/** What the sections of {@link deviceShell} say. */
export function deviceFrom(sections: ReadonlyMap<string, string>): DeviceState {
  const text = (name: string): string => sections.get(name)?.trim() ?? '';
  const kind = text('kind');
  const nothing: DeviceContents = {signatures: [], users: [], mounts: [], sizeBytes: undefined};
  const known = describeDevice({
    blkid: sections.get('blkid') ?? '',
    wipefs: sections.get('wipefs') ?? '',
    lsblk: sections.get('lsblk') ?? '',
  });
  const loops = text('loops')
    .split('\n')
    .filter((line) => line !== '')
    .map((path) => ({path, type: 'loop'}));
  const contents = known.ok ? {...known.value, users: [...known.value.users, ...loops]} : nothing;
  return {
    kind: kind === 'block' || kind === 'file' || kind === 'other' ? kind : 'absent',
    readable: text('readable') === 'yes',
    sizeBytes: Number(text('size')) || 0,
    contents,
    unclear: !known.ok
      ? known.problems[0].message
      : text('tools') === '' && (kind === 'block' || kind === 'file')
        ? 'neither blkid nor wipefs is installed'
        : undefined,
  };
}
