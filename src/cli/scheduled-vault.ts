// Where a service gets vault passwords from: systemd's credentials, which exist only for the service and only while it runs, or files.
import {existsSync} from 'node:fs';
import {join} from 'node:path';
import type {Diagnostic} from '../base/diagnostic.ts';
import type {VaultPassword} from '../secrets/vault.ts';
import type {Settings} from './settings.ts';
import {list, vaultPasswords} from './vault-passwords.ts';

/** The credential that counts where the command names no source. *source*: systemd.exec(5), LoadCredential=. */
export const CREDENTIAL = 'vault-password';

/**
 * The passwords of a scheduled command: from its own sources (`credential:NAME` is a credential), else from the credential `vault-password`, else from the settings.
 */
export async function scheduledVaultPasswords(
  options: Readonly<Record<string, unknown>>,
  settings: Settings,
  where: {readonly cwd: string; readonly home: string},
): Promise<{passwords: readonly VaultPassword[]; problems: readonly Diagnostic[]}> {
  const folder = process.env['CREDENTIALS_DIRECTORY'];
  const placed = (source: string): string =>
    source.replace(/^((?:[^@]*@)?)credential:([A-Za-z0-9_.-]+)$/, (_whole, id: string, name: string) =>
      join(`${id}${folder ?? '/run/credentials/missing'}`, name),
    );
  const files = list(options['vaultPasswordFile']).map(placed);
  const ids = list(options['vaultId']).map(placed);
  const credential = folder === undefined ? undefined : join(folder, CREDENTIAL);
  const configured =
    credential !== undefined && existsSync(credential) ? [credential] : (settings.vault_password_file ?? []);
  return vaultPasswords({vaultPasswordFile: files, vaultId: ids}, configured, where);
}
