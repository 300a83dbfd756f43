import {createHash} from 'node:crypto';
import {readFileSync} from 'node:fs';

/** The digest of a file; '' where it is gone. */
export function sha256File(path: string): string {
  try {
    return createHash('sha256').update(readFileSync(path)).digest('hex');
  } catch {
    return '';
  }
}
