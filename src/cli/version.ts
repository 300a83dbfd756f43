import {readFileSync} from 'node:fs';

/** The package's version, from its package.json (two or three folders up, in the checkout and in dist). */
export function version(): string {
  for (const up of ['../../package.json', '../../../package.json']) {
    try {
      const parsed = JSON.parse(readFileSync(new URL(up, import.meta.url), 'utf8')) as {
        name?: string;
        version?: string;
      };
      if (parsed.name === 'tsplay' && parsed.version !== undefined) return parsed.version;
    } catch {
      // not at this depth
    }
  }
  return 'unknown';
}
