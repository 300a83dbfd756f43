// Lookups that ask the controller and the run: environment, programs, variables, inventory, passwords.
import {spawnSync} from 'node:child_process';
import {chmodSync, mkdirSync, writeFileSync} from 'node:fs';
import {dirname} from 'node:path';
import {nearestName} from '../base/nearest.ts';
import {Secret} from '../base/secret.ts';
import {Unknown} from '../base/unknown.ts';
import {Fault, Misuse} from '../template/fault.ts';
import {Undefined} from '../template/values.ts';
import {flagOption, flattenedOnce, splitTerm, textList, textOf, textOption} from './lookup-arguments.ts';
import type {Lookup, LookupSite} from './lookup-site.ts';
import {readIfThere} from './lookups-files.ts';
import {matchHosts} from './patterns.ts';

const programTimeoutMs = 60_000;
const programOutputBytes = 64 * 1024 * 1024;

const env: Lookup = (terms, options, site) =>
  flattenedOnce(terms).map((term) => {
    const name = textOf(term, 'the name').split(/\s+/)[0] ?? '';
    const value = site.run.env[name];
    if (value !== undefined) return value;
    return options.has('default') ? options.get('default') : '';
  });

/** What a command prints, without the line breaks at its end. It runs once in a run, so that planning twice gives the same. */
function output(command: string, site: LookupSite): string {
  const key = `pipe\0${site.cwd}\0${command}`;
  const known = site.run.lookupResults.get(key);
  if (typeof known === 'string') return known;
  const done = spawnSync('/bin/sh', ['-c', command], {
    cwd: site.cwd,
    env: site.run.env,
    encoding: 'utf8',
    timeout: programTimeoutMs,
    killSignal: 'SIGKILL',
    maxBuffer: programOutputBytes,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  if (done.error !== undefined || done.status !== 0) {
    const why = done.error === undefined ? `ended with exit code ${String(done.status)}` : done.error.message;
    const tail = done.stderr.trim().split('\n').slice(-3).join('\n');
    throw new Misuse(`the command ${why}: ${command}`, 'lookup-failed', tail === '' ? undefined : tail);
  }
  const text = done.stdout.replace(/[\r\n]+$/, '');
  site.run.lookupResults.set(key, text);
  return text;
}

const pipe: Lookup = (terms, _options, site) =>
  flattenedOnce(terms).map((term) => output(textOf(term, 'the command'), site));

const lines: Lookup = (terms, _options, site) =>
  flattenedOnce(terms).flatMap((term) => {
    const text = output(textOf(term, 'the command'), site);
    return text === '' ? [] : text.split(/\r?\n/);
  });

const vars: Lookup = (terms, options, site) =>
  flattenedOnce(terms).map((term) => {
    const name = textOf(term, 'the name of a variable');
    const value = site.value(name);
    if (value !== undefined && !(value instanceof Undefined)) return value;
    if (options.has('default')) return options.get('default');
    if (value instanceof Undefined) throw new Fault(value.problem);
    const near = nearestName(name, site.names());
    throw new Misuse(
      `"${name}" is undefined`,
      'undefined-variable',
      near === undefined ? undefined : `did you mean "${near}"?`,
    );
  });

const varnames: Lookup = (terms, _options, site) => {
  const names = [...site.names()];
  return flattenedOnce(terms).flatMap((term) => {
    const text = textOf(term, 'the pattern');
    let expression: RegExp;
    try {
      expression = new RegExp(text);
    } catch {
      throw new Misuse(`${text} is no regular expression that can be read`, 'lookup-argument');
    }
    return names.filter((name) => expression.test(name));
  });
};

const inventoryHostnames: Lookup = (terms, _options, site) =>
  matchHosts(
    site.run.inventory,
    flattenedOnce(terms).map((term) => textOf(term, 'the pattern')),
  ).hosts;

const characterSets: Readonly<Record<string, string>> = {
  ascii_letters: 'abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ',
  ascii_lowercase: 'abcdefghijklmnopqrstuvwxyz',
  ascii_uppercase: 'ABCDEFGHIJKLMNOPQRSTUVWXYZ',
  digits: '0123456789',
  hexdigits: '0123456789abcdefABCDEF',
  octdigits: '01234567',
  punctuation: '!"#$%&\'()*+,-./:;<=>?@[\\]^_`{|}~',
};

/** A password kept in a file of the controller, made there when it does not exist yet. *shape* of the file: the password, perhaps ` salt=…` behind it, as Ansible writes it. */
const password: Lookup = (terms, options, site) =>
  flattenedOnce(terms).map((term) => {
    const {raw: name, options: given} = splitTerm(term, options);
    if (given.has('encrypt') && given.get('encrypt') !== null) {
      throw new Misuse(
        'the password lookup does not encrypt',
        'lookup-argument',
        "write lookup('password', …) | password_hash('sha512', SALT)",
      );
    }
    const temporary = name === '/dev/null';
    const {path, text} = temporary ? {path: name, text: undefined} : readIfThere(name, site);
    if (text !== undefined) return Secret.of(text.replace(/\r?\n[^]*$/, '').replace(/ salt=\S+$/, ''));
    const key = `password\0${path}\0${temporary ? textOf(term, 'the file') : ''}`;
    const made = site.run.lookupResults.get(key);
    if (made instanceof Secret && !temporary) return made;
    if (site.run.readOnly === true) return new Unknown(`lookup password ${name}`);
    const fresh = Secret.of(generate(given.get('chars'), Number(textOption(given, 'length', '20')), site));
    if (!temporary) {
      mkdirSync(dirname(path), {recursive: true, mode: 0o700});
      writeFileSync(path, `${fresh.reveal()}\n`, {mode: 0o600, flag: 'wx'});
      chmodSync(path, 0o600);
      site.run.lookupResults.set(key, fresh);
    }
    return fresh;
  });

function generate(chars: unknown, length: number, site: LookupSite): string {
  const random = site.run.environment.randomBytes;
  if (random === undefined) throw new Misuse('there is no source of randomness here', 'lookup-unavailable');
  if (!Number.isInteger(length) || length < 1 || length > 4096)
    throw new Misuse('length must be a number from 1 to 4096', 'lookup-argument');
  const names =
    chars === undefined || chars === null ? ['ascii_letters', 'digits', '.,:-_'] : textList(chars, /,(?!,)/);
  const alphabet = [
    ...new Set(
      Array.from(
        names.map((name) => (Object.hasOwn(characterSets, name) ? (characterSets[name] ?? '') : name)).join(''),
      ),
    ),
  ];
  let text = '';
  while (text.length < length) {
    for (const byte of random(length * 2)) {
      // bytes beyond the last full round of the alphabet would favour its first characters
      if (byte < 256 - (256 % alphabet.length) && text.length < length) text += alphabet[byte % alphabet.length] ?? '';
    }
  }
  return text;
}

/** The few settings of Ansible's that playbooks ask for. */
const settings: Readonly<Record<string, (site: LookupSite) => unknown>> = {
  DEFAULT_FORKS: (site) => site.run.settings.forks,
  DEFAULT_BECOME_USER: () => 'root',
  DEFAULT_BECOME_METHOD: () => 'sudo',
  DEFAULT_REMOTE_USER: (site) => site.value('ansible_user') ?? null,
  DEFAULT_TRANSPORT: () => 'ssh',
  DEFAULT_VERBOSITY: (site) => site.run.settings.verbosity,
  TAGS_RUN: (site) => site.run.settings.tags,
  TAGS_SKIP: (site) => site.run.settings.skipTags,
};

const config: Lookup = (terms, _options, site) =>
  flattenedOnce(terms).map((term) => {
    const name = textOf(term, 'the name of a setting');
    const give = Object.hasOwn(settings, name) ? settings[name] : undefined;
    if (give === undefined)
      throw new Misuse(
        `there is no setting ${name}`,
        'lookup-argument',
        `known are ${Object.keys(settings).join(', ')}`,
      );
    return give(site);
  });

const url: Lookup = () => {
  throw new Misuse(
    'the lookup "url" is not available: playbooks are evaluated without the network',
    'lookup-unavailable',
    'fetch it with get_url, or with the lookup pipe and curl',
  );
};

/** Lookups on the controller and the run, by name. */
export const hostLookups: ReadonlyMap<string, Lookup> = new Map<string, Lookup>([
  ['env', env],
  ['pipe', pipe],
  ['lines', lines],
  ['vars', vars],
  ['varnames', varnames],
  ['inventory_hostnames', inventoryHostnames],
  ['password', password],
  ['config', config],
  ['url', url],
]);

/** Whether errors of a lookup are to be passed over: `errors='ignore'` (or 'warn'). */
export function forgives(options: ReadonlyMap<string, unknown>): boolean {
  return (
    options.has('errors') &&
    /^(?:ignore|warn)$/.test(textOption(options, 'errors', 'strict')) &&
    !flagOption(options, 'strict', false)
  );
}
