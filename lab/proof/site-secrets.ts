import {readFile} from 'node:fs/promises';
import path from 'node:path';
import {load} from 'js-yaml';
import {Secret, reveal} from '../../src/base/secret.ts';
import {decrypt} from '../../src/secrets/vault.ts';

const checkout = path.dirname(path.dirname(import.meta.dirname));

/** The secret variables of a host of the lab's inventory, in clear: proofs log in with the passwords that the site declares. */
export async function secretsOf(host: string): Promise<ReadonlyMap<string, string>> {
  const file = path.join(checkout, 'inventory', 'host_vars', host, 'vault.yml');
  const password = Secret.of((await readFile(path.join(checkout, 'lab', 'vault-password'), 'utf8')).trim());
  const opened = decrypt(await readFile(file, 'utf8'), [{id: 'default', password}]);
  if (!opened.ok) throw new Error(`${file} does not open with lab/vault-password`);
  const content = load(reveal(opened.value.text)) as Record<string, unknown>;
  return new Map(Object.entries(content).map(([name, value]) => [name, String(value)]));
}

/** One of them. */
export async function secretOf(host: string, name: string): Promise<string> {
  const value = (await secretsOf(host)).get(name);
  if (value === undefined) throw new Error(`inventory/host_vars/${host}/vault.yml has no ${name}`);
  return value;
}
