import {Unknown} from '../base/unknown.ts';
import {Secret, masked, reveal} from '../base/secret.ts';
import type {Json} from '../base/json.ts';
import {fileKey, type Key} from './key.ts';
import type {RunOp} from './op.ts';
import {change, converged, type Plan} from './plan.ts';
import {all, map, type Probe} from './probe.ts';
import {read, type Reply} from './reads.ts';
import {sh} from './shell.ts';

/** When a command need not run: a glob that exists (`creates`) or no longer exists (`removes`), or what guards answer. */
export type Conditions = {
  readonly creates?: string | undefined;
  readonly removes?: string | undefined;
  readonly unless?: string | undefined;
  readonly onlyif?: string | undefined;
  readonly chdir?: string | undefined;
};
export type ConditionState = {
  readonly creates: boolean;
  readonly removes: boolean;
  readonly unless: boolean;
  readonly onlyif: boolean;
};

/** Reads a command's conditions. `creates` and `removes` may be globs. */
export function probeConditions(c: Conditions): Probe<ConditionState> {
  const place = c.chdir ?? '/';
  const absolute = (path: string): string => (path.startsWith('/') ? path : `${place}/${path}`);
  const exists = (path: string | undefined): Probe<boolean> =>
    path === undefined
      ? {reads: [], join: () => false}
      : read(globTest(absolute(path)), (r) => r.exit === 0, {
          dependsOn: [
            fileKey(absolute(path)),
            `tree:${
              absolute(path)
                .replace(/[*?[].*$/, '')
                .replace(/\/[^/]*$/, '') || '/'
            }`,
          ],
        });
  const guard = (script: string | undefined): Probe<boolean> =>
    script === undefined
      ? {reads: [], join: () => false}
      : map(
          read(sh`cd ${place} && /bin/sh -c ${script} >/dev/null 2>&1`, (r) => r.exit === 0, {dependsOn: ['tree:/']}),
          (holds) => holds,
        );
  return all({
    creates: exists(c.creates),
    removes: exists(c.removes),
    unless: guard(c.unless),
    onlyif: guard(c.onlyif),
  });
}

/** `[ -e ]` on whatever a glob expands to. */
function globTest(path: string): {shell: string} {
  const pattern = path.replace(/[^A-Za-z0-9_./*?[\]-]/g, '\\$&');
  return {shell: `for f in ${pattern}; do if [ -e "$f" ] || [ -L "$f" ]; then exit 0; fi; done; exit 1`};
}

/** The plan of an imperative task: nothing where a condition says so, else the command. */
export function planCommand(
  c: Conditions,
  now: ConditionState,
  op: Omit<RunOp, 'op' | 'output' | 'affects'>,
  shown: string,
): Plan {
  if (c.creates !== undefined && now.creates) return converged();
  if (c.removes !== undefined && !now.removes) return converged();
  if (c.unless !== undefined && now.unless) return converged();
  if (c.onlyif !== undefined && !now.onlyif) return converged();
  const predicts = touchedPaths(c, op).map((key) => ({key, value: new Unknown('this command')}));
  return change([{what: 'command', before: undefined, after: shown}], [{op: 'run', output: true, ...op, predicts}]);
}

/** What the program may change as far as its text tells: the paths that it names, and those that `creates` and `removes` are about. */
function touchedPaths(c: Conditions, op: Omit<RunOp, 'op' | 'output' | 'affects'>): readonly Key[] {
  const place = c.chdir ?? '/';
  const conditions = [c.creates, c.removes]
    .filter((path) => path !== undefined)
    .map((path) => (path.startsWith('/') ? path : `${place}/${path}`));
  const words = op.script === undefined ? op.argv.slice(1) : [masked(op.script)];
  const named = words.flatMap((word) => (typeof word === 'string' ? (word.match(absolutePath) ?? []) : []));
  const paths = [...conditions, ...named.filter((path) => !systemPath.test(path))];
  return [...new Set(paths)].flatMap((path): Key[] => {
    const folder = path.replace(/[*?[].*$/, '').replace(/\/+$/, '');
    if (folder === path) return [fileKey(path), `tree:${path}`];
    return [`tree:${folder.replace(/\/[^/]*$/, '') || '/'}`];
  });
}

const absolutePath = /(?<![\w.~$}/-])\/[\w.@%+:,/-]*[\w/]/g;
/** Programs and the kernel's own files: named in order to be used. */
const systemPath = /^\/(?:bin|sbin|lib|lib64|usr|proc|dev|sys)(?:\/|$)/;

/** What `register` gets of a command. *source*: Ansible's return values of command. */
export function commandResult(
  command: string | Secret,
  after: unknown,
  outputs: readonly Reply[],
  skipped: string | undefined,
): Readonly<Record<string, Json>> {
  const reply = outputs[0];
  if (reply === undefined && after instanceof Unknown)
    return {cmd: maskedCommand(command), rc: null, stdout: '', stderr: '', stdout_lines: [], stderr_lines: []};
  if (reply === undefined)
    return {
      cmd: maskedCommand(command),
      rc: 0,
      stdout: skipped ?? 'skipped',
      stderr: '',
      stdout_lines: [skipped ?? 'skipped'],
      stderr_lines: [],
    };
  const decode = (bytes: Uint8Array): string => new TextDecoder().decode(bytes).replace(/\r?\n$/, '');
  const stdout = decode(reply.stdout);
  const stderr = decode(reply.stderr);
  return {
    cmd: maskedCommand(command),
    rc: reply.exit,
    stdout,
    stderr,
    stdout_lines: stdout === '' ? [] : stdout.split(/\r?\n/),
    stderr_lines: stderr === '' ? [] : stderr.split(/\r?\n/),
  };
}

function maskedCommand(command: string | Secret): string {
  return command instanceof Secret ? command.masked() : reveal(command);
}
