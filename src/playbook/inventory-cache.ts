// What inventories that are programs answered last time, for a while: asking a cloud or all KVM hosts may take longer than the run itself.
import {createHash} from 'node:crypto';
import {mkdirSync, readFileSync, renameSync, statSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';

/** *units*: `seconds` an answer counts; 0 = none is kept. `refresh`: none is used, but the new ones are kept. */
export type CacheOptions = {readonly folder: string; readonly seconds: number; readonly refresh: boolean};

/**
 * The kept answer of a source, else that of `ask`, which is kept. `path` (with its time of change) and `question` tell one answer from another. An answer that
 * cannot be kept costs the next run a question and nothing else; undefined is never kept.
 */
export async function cachedAnswer(
  path: string,
  question: string,
  options: CacheOptions | undefined,
  ask: () => Promise<string | undefined>,
): Promise<string | undefined> {
  if (options === undefined || options.seconds <= 0) return ask();
  const key = createHash('sha256')
    .update(`${path}\0${String(changedAt(path))}\0${question}`)
    .digest('hex')
    .slice(0, 32);
  const file = join(options.folder, key);
  if (!options.refresh && Date.now() - changedAt(file) < options.seconds * 1000) {
    try {
      return readFileSync(file, 'utf8');
    } catch {
      // asked anew
    }
  }
  const answer = await ask();
  if (answer === undefined) return undefined;
  try {
    mkdirSync(options.folder, {recursive: true, mode: 0o700});
    writeFileSync(`${file}.${String(process.pid)}`, answer, {mode: 0o600});
    renameSync(`${file}.${String(process.pid)}`, file);
  } catch {
    // asked again next time
  }
  return answer;
}

/** *units*: milliseconds since the epoch; 0 where there is no such file. */
function changedAt(path: string): number {
  return statSync(path, {throwIfNoEntry: false})?.mtimeMs ?? 0;
}
