import type {Diagnostic} from '../base/diagnostic.ts';
import {parseVaultId, passwordFrom} from '../secrets/password-source.ts';
import type {VaultPassword} from '../secrets/vault.ts';
import {askSecret} from './prompt.ts';

/** Vault passwords from `--vault-password-file`, `--vault-id`, `--ask-vault-pass` and the settings, in this order. */
export async function vaultPasswords(
  options: Readonly<Record<string, unknown>>,
  configured: readonly string[],
  where: {readonly cwd: string; readonly home: string},
): Promise<{passwords: readonly VaultPassword[]; problems: readonly Diagnostic[]}> {
  const passwords: VaultPassword[] = [];
  const problems: Diagnostic[] = [];
  const files = list(options['vaultPasswordFile']);
  const ids = list(options['vaultId']);
  const asked = options['askVaultPass'] === true;
  const none = files.length === 0 && ids.length === 0 && !asked;
  for (const text of [...files, ...ids, ...(none ? configured : [])]) {
    const source = parseVaultId(text);
    if (source.kind === 'prompt') {
      passwords.push({id: source.id, password: await askSecret(`Vault password (${source.id}): `)});
      continue;
    }
    const read = await passwordFrom(source, where);
    if (read.ok) passwords.push(read.value);
    else problems.push(...read.problems);
  }
  if (asked) passwords.push({id: 'default', password: await askSecret('Vault password: ')});
  return {passwords, problems};
}

/** The values of a repeatable option. */
export function list(value: unknown): readonly string[] {
  if (value === undefined) return [];
  return Array.isArray(value) ? (value as string[]) : [String(value)];
}
