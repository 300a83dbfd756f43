// `-e` on the command line: name=value words, a mapping in YAML or JSON, or a file of one.
import {readFileSync} from './disk.ts';
import {resolve} from 'node:path';
import {error} from '../base/diagnostic.ts';
import type {Diagnostic, Source} from '../base/diagnostic.ts';
import {isVault} from '../secrets/vault.ts';
import type {VaultPassword} from '../secrets/vault.ts';
import type {Variable} from './inventory.ts';
import {openVault} from './open-vault.ts';
import {splitWords} from './shell-words.ts';
import {variablesOf} from './vars-files.ts';
import type {VarsFile} from './vars-files.ts';

/**
 * The variables of all `-e` together; a later one wins. Values of name=value words are texts, as with Ansible.
 * Problems are located in `<-e #N>` or in the file.
 */
export function readExtraVars(
  given: readonly string[],
  options: {readonly cwd: string; readonly vaultPasswords?: readonly VaultPassword[]},
): VarsFile {
  const variables = new Map<string, Variable>();
  const problems: Diagnostic[] = [];
  given.forEach((text, i) => {
    const read = readOne({path: `<-e #${i + 1}>`, text}, options);
    for (const [name, variable] of read.variables) variables.set(name, variable);
    problems.push(...read.problems);
  });
  return {variables, problems};
}

function readOne(
  source: Source,
  {cwd, vaultPasswords = []}: {readonly cwd: string; readonly vaultPasswords?: readonly VaultPassword[]},
): VarsFile {
  const trimmed = source.text.trim();
  if (trimmed.startsWith('@')) {
    const path = trimmed.slice(1);
    try {
      const file: Source = {path, text: readFileSync(resolve(cwd, path), 'utf8')};
      const opened = isVault(file.text) ? openVault(file, vaultPasswords) : {ok: true as const, value: file};
      return opened.ok ? variablesOf(opened.value) : {variables: new Map(), problems: opened.problems};
    } catch (cause) {
      const problem = error('bad-extra-vars', `${path} cannot be read: ${(cause as Error).message}`, {
        span: {source, start: 0, end: source.text.length},
      });
      return {variables: new Map(), problems: [problem]};
    }
  }
  if (/^[{[]/.test(trimmed) || /^[\w.]+:\s/.test(trimmed) || trimmed.startsWith('---')) return variablesOf(source);
  return readWords(source);
}

function readWords(source: Source): VarsFile {
  const variables = new Map<string, Variable>();
  const problems: Diagnostic[] = [];
  const words = splitWords(source, 0, source.text.length);
  if (!words.ok) return {variables, problems: words.problems};
  for (const {text, start, end} of words.value) {
    const equals = text.indexOf('=');
    if (equals <= 0) {
      const help = 'write -e name=value, -e \'{"name": value}\' or -e @file';
      problems.push(
        error('bad-extra-vars', `expected name=value, not ${JSON.stringify(text)}`, {span: {source, start, end}, help}),
      );
      continue;
    }
    const name = text.slice(0, equals);
    const value = text.slice(equals + 1);
    const span = {source, start: Math.min(start + equals + 1, end), end};
    variables.set(name, {
      name,
      nameSpan: {source, start, end: start + equals},
      value: {kind: 'scalar', value, raw: value, style: 'double', span},
    });
  }
  return {variables, problems};
}
