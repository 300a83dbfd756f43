// A file of the host brought to the controller. It is an action, because what it changes is the controller's.
import {mkdirSync, readFileSync, renameSync, writeFileSync} from 'node:fs';
import {basename, dirname, join, resolve} from 'node:path';
import type {Action} from '../engine/action.ts';
import {followed} from '../kit/attributes.ts';
import {contentValue, sha256} from '../kit/content.ts';
import {file} from '../kit/reads.ts';
import {p} from '../kit/schema.ts';

/** *units*: bytes that a fetched file may have; it is held in memory on its way. */
const largest = 256 * 1024 * 1024;

/**
 * Copies a file from the host to the controller, where it differs. New files are readable by their owner only: what hosts keep from others stays kept.
 * *source*: Ansible's fetch.
 */
export const fetch: Action = {
  name: 'fetch',
  summary: 'Copy a file from the host to the controller',
  params: {
    src: p.path('the file on the host', {required: true}),
    dest: p.string(
      'folder on the controller, where it becomes HOST/PATH; with `flat` the file itself, or (with a slash) its folder',
      {
        required: true,
      },
    ),
    flat: p.boolean('no folders for host and path', {default: false}),
    fail_on_missing: p.boolean('a file that is not there is a failure', {default: true}),
    validate_checksum: p.boolean('accepted for compatibility: what arrives is always compared'),
  },
  examples: ['- fetch:\n    src: /etc/hostname\n    dest: /tmp/tsplay-fetched\n'],
  async run(values, {run, host, runner, task, scope, check}) {
    const {src, dest, flat} = values as {src: string; dest: string; flat?: boolean};
    const target = targetOf(
      resolve(runner.context.play.folder, dest),
      dest.endsWith('/'),
      flat === true,
      host.name,
      src,
    );
    const present = read(target);
    if (typeof present === 'string') return {status: 'failed', message: present};
    const become = run.becomeOf(task, runner.context.play, scope);
    if (become !== undefined && 'problem' in become) return {status: 'failed', message: become.problem};
    await runner.connect();
    const as = become === undefined || become.user === host.login.user ? undefined : become;
    const account = as?.user ?? '';
    const probe = file(src, {
      content: present === undefined ? 'always' : {unless: sha256(present)},
      maxBytes: largest,
    });
    let sight = host.world.see(account, probe);
    if (sight.sight === 'missing') {
      await runner.read(as, account, sight.reads);
      sight = host.world.see(account, probe);
    }
    if (sight.sight === 'unknown') return {status: 'unknown', message: `known only after ${sight.cause.cause}`};
    if (sight.sight === 'missing') throw new Error(`${src} was read and is still not known`);
    const state = followed(sight.state);
    if (state.type === 'absent')
      return values['fail_on_missing'] === false
        ? {status: 'ok', message: `${src} is not there`}
        : {status: 'failed', message: `${src} does not exist`};
    if (state.type !== 'file') return {status: 'failed', message: `${src} is a ${state.type}, not a regular file`};
    if (state.denied === true) return {status: 'failed', message: `${src} cannot be read by this account`};
    const result = {src, dest: target, checksum: state.sha256 ?? null};
    if (present !== undefined && state.sha256 === sha256(present)) return {status: 'ok', result};
    if (state.content === undefined)
      return check
        ? {status: 'unknown', message: `what ${src} will hold is known after it has been written`}
        : {status: 'failed', message: `${src} has ${state.sizeBytes} bytes; at most 256 MiB are fetched`};
    const trouble = check ? undefined : write(target, state.content);
    if (trouble !== undefined) return {status: 'failed', message: trouble};
    return {
      status: 'changed',
      changes: [
        {
          what: target,
          before: contentValue(present),
          after: state.content.length === 0 ? '(empty)' : contentValue(state.content),
        },
      ],
      result,
    };
  },
};

function targetOf(dest: string, isFolder: boolean, flat: boolean, host: string, src: string): string {
  if (!flat) return join(dest, host, src);
  return isFolder ? join(dest, basename(src)) : dest;
}

/** What the controller has there; undefined = nothing, text = why it cannot be used. */
function read(path: string): Uint8Array | undefined | string {
  try {
    return new Uint8Array(readFileSync(path));
  } catch (error) {
    const {code} = error as NodeJS.ErrnoException;
    if (code === 'ENOENT') return undefined;
    return `${path} on the controller cannot be read (${code ?? 'unknown error'})`;
  }
}

/** Whole or not at all; gives why it could not be done. */
function write(path: string, content: Uint8Array): string | undefined {
  try {
    mkdirSync(dirname(path), {recursive: true});
    const candidate = `${path}.tsplay-new`;
    writeFileSync(candidate, content, {mode: 0o600});
    renameSync(candidate, path);
    return undefined;
  } catch (error) {
    return `${path} on the controller cannot be written (${(error as NodeJS.ErrnoException).code ?? 'unknown error'})`;
  }
}
