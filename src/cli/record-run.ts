// Glue between a run and the history: who runs it, from where, with what, and the events as they come.
import {createHash} from 'node:crypto';
import {readFileSync} from 'node:fs';
import {hostname, userInfo} from 'node:os';
import {isAbsolute, relative} from 'node:path';
import type {Emit, RunInfo} from '../engine/event.ts';
import type {Item} from '../playbook/program.ts';
import type {Site} from '../playbook/site.ts';
import {scoreOf} from '../report/audit.ts';
import {taskJson} from '../report/json.ts';
import {History, type RunRecorder} from '../store/history.ts';
import type {RecordedMode, RunInputs, RunStart, StartedBy} from '../store/records.ts';
import {commitOf} from './site-commit.ts';
import type {Reporting} from './reporting.ts';
import {pruneDaily} from './retention.ts';
import type {Settings} from './settings.ts';
import {list} from './vault-passwords.ts';
import {version} from './version.ts';

type Options = Readonly<Record<string, unknown>>;

/**
 * Records a run from its first event (`run-started`) to the command's end. Gives what listens to the events. What cannot be recorded is said on stderr,
 * and the run goes on.
 */
export function recordRun(parts: {
  readonly state: string;
  readonly options: Options;
  readonly site: Site;
  readonly settings: Settings;
  readonly inventories: readonly string[];
  readonly reporting: Reporting;
  /** the site's folder */
  readonly cwd: string;
  readonly more?: Partial<RunInputs>;
}): Emit {
  const {reporting, options, site, cwd} = parts;
  const commit = commitOf(cwd, process.env);
  let recorder: RunRecorder | undefined;
  return (event) => {
    if (event.event === 'run-started') {
      recorder = beginRecorder(
        parts.state,
        startOf(reporting.info, {
          inputs: {...inputsOf(options, parts.inventories, cwd, reporting.hide), ...parts.more},
          modules: ownModules(site, cwd),
        }),
        reporting,
      );
      const begun = recorder;
      void commit.then((found) => (found === undefined ? undefined : begun.write({record: 'site', ...found})));
      reporting.atFinish((exit, audit) => {
        if (audit !== undefined) begun.note('score', scoreOf(audit));
        begun.close(exit);
        const {user, controller} = startedBy(process.env);
        pruneDaily(parts.state, parts.settings, `${user}@${controller}`, new Date());
      });
    }
    recorder?.on(event);
  };
}

/** Begins a record; trouble is told as a warning. */
export function beginRecorder(
  state: string,
  start: RunStart,
  reporting: Pick<Reporting, 'hide' | 'tell'>,
): RunRecorder {
  const {hide, tell} = reporting;
  return new History(state).begin(start, {hide, taskJson: (result) => taskJson(result, hide)}, (message) =>
    tell({
      severity: 'warning',
      code: 'history',
      message,
      help: 'the run goes on; make room, or name another folder with TSPLAY_STATE',
    }),
  );
}

/** The first record of a run of this process. */
export function startOf(
  info: Omit<RunInfo, 'mode'> & {readonly mode: RecordedMode},
  more: {readonly inputs: RunInputs; readonly modules: Readonly<Record<string, string>>},
): RunStart {
  const {id, mode, playbooks, started} = info;
  return {
    id,
    mode,
    playbooks,
    started,
    by: startedBy(process.env),
    inputs: more.inputs,
    versions: {tsplay: version(), node: process.versions.node, modules: more.modules},
  };
}

/** Who runs this process. *source*: sshd(8) and sudo(8), ENVIRONMENT. */
export function startedBy(env: Readonly<Record<string, string | undefined>>): StartedBy {
  const from = env['SSH_CONNECTION']?.split(' ')[0];
  return {
    user: userInfo().username,
    controller: hostname(),
    from: from === undefined || from === '' ? null : from,
    ...(env['SUDO_USER'] === undefined ? {} : {sudoUser: env['SUDO_USER']}),
  };
}

/** What the command line gave. */
export function inputsOf(
  options: Options,
  inventories: readonly string[],
  cwd: string,
  hide: Reporting['hide'],
): RunInputs {
  return {
    cwd,
    inventories,
    limit: list(options['limit']),
    tags: list(options['tags']),
    skipTags: list(options['skipTags']),
    extraVars: list(options['extraVars']).map((text) => hide(withoutSecrets(text))),
    ...(options['startAtTask'] === undefined ? {} : {startAtTask: String(options['startAtTask'])}),
  };
}

const telling = /pass|secret|token|credential|private|api_?key/i;

/** `-e` as it was given, without the values of variables whose names say that they are secret. */
export function withoutSecrets(text: string): string {
  if (text.startsWith('@')) return text;
  if (/^\s*[{[]/.test(text)) {
    try {
      return JSON.stringify(JSON.parse(text, (name, value: unknown) => (telling.test(name) ? '********' : value)));
    } catch {
      // YAML in a flow: only its names are safe to keep
      return telling.test(text) ? '{…}' : text;
    }
  }
  return text.replace(/([A-Za-z_]\w*)=("(?:[^"\\]|\\.)*"|'[^']*'|\S*)/g, (whole, name: string) =>
    telling.test(name) ? `${name}=********` : whole,
  );
}

/** The site's own modules that a program uses, with the digest of their files. */
function ownModules(site: Site, cwd: string): Readonly<Record<string, string>> {
  const names = new Set<string>();
  const walk = (items: readonly Item[]): void => {
    for (const item of items) {
      if (item.item === 'task' && item.doing.do === 'module') names.add(item.doing.module.name);
      else if (item.item === 'block') for (const part of [item.block, item.rescue, item.always]) walk(part);
    }
  };
  for (const play of site.program.plays) for (const items of [play.items, play.handlers]) walk(items);
  const own: Record<string, string> = {};
  for (const name of [...names].sort()) {
    const path = site.catalog.ownFileOf(name);
    if (path === undefined) continue;
    const shown = relative(cwd, path);
    own[name] =
      `${shown.startsWith('..') || isAbsolute(shown) ? path : shown} sha256:${createHash('sha256').update(readFileSync(path)).digest('hex')}`;
  }
  return own;
}
