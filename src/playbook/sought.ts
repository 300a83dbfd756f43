// Help for a file that is not there: the file beside it that was probably meant, else the places that were looked at.
import {readdirSync} from 'node:fs';
import {basename, dirname, join} from 'node:path';
import {nearestName} from '../base/nearest.ts';
import {shownPath} from './inventory-load.ts';

/** `did you mean …?`, or where it was sought. `searched`: absolute paths; they are shown relative to `cwd`. */
export function soughtHelp(searched: readonly string[], cwd: string): string {
  const near = nearestFile(searched);
  if (near !== undefined) return `did you mean ${shownPath(cwd, near)}?`;
  return `looked for ${searched.map((path) => shownPath(cwd, path)).join(', ')}`;
}

/** A file that exists and whose name is like one of those that do not. */
function nearestFile(searched: readonly string[]): string | undefined {
  for (const path of searched) {
    const found = nearestName(basename(path), entriesOf(dirname(path)));
    if (found !== undefined) return join(dirname(path), found);
  }
  return undefined;
}

function entriesOf(folder: string): readonly string[] {
  try {
    return readdirSync(folder).filter((name) => !name.startsWith('.'));
  } catch {
    return [];
  }
}
