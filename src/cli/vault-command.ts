import {spawnSync} from 'node:child_process';
import {randomBytes} from 'node:crypto';
import {mkdtempSync, readFileSync, renameSync, rmSync, statSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {Secret} from '../base/secret.ts';
import {decrypt, encrypt, isVault, vaultId, type VaultPassword} from '../secrets/vault.ts';
import {exitStatus} from './exit-status.ts';
import {NoTerminal, askSecret, readStdin} from './prompt.ts';
import {readSettings} from './settings.ts';
import {list, vaultPasswords} from './vault-passwords.ts';

type Options = Readonly<Record<string, unknown>>;
export type VaultVerb = 'encrypt' | 'decrypt' | 'view' | 'edit' | 'rekey' | 'encrypt-string';

/** `tsplay vault …`. Files change atomically and keep their mode, at most 0600 when they are decrypted. */
export async function vaultCommand(verb: VaultVerb, files: readonly string[], options: Options): Promise<void> {
  try {
    const cwd = process.cwd();
    const {settings} = readSettings(cwd, process.env);
    const found = await vaultPasswords(options, settings.vault_password_file ?? [], {
      cwd,
      home: process.env['HOME'] ?? '/',
    });
    if (found.problems.length > 0) return void fail(found.problems.map((problem) => problem.message).join('\n'));
    const passwords =
      found.passwords.length > 0 ? found.passwords : [{id: 'default', password: await askSecret('Vault password: ')}];
    if (verb === 'encrypt-string') return await encryptString(files[0], passwords[0]!, options);
    const next = verb === 'rekey' ? await newPassword(options, cwd) : undefined;
    for (const file of files) if (!act(verb, file, passwords, next, options)) return;
  } catch (error) {
    if (error instanceof NoTerminal) return void fail(error.message);
    if (error instanceof Error && 'code' in error) return void fail(error.message);
    throw error;
  }
}

async function newPassword(options: Options, cwd: string): Promise<VaultPassword> {
  const file = options['newVaultPasswordFile'];
  if (file === undefined) return {id: 'default', password: await askSecret('New vault password: ')};
  const found = await vaultPasswords({vaultPasswordFile: list(file)}, [], {cwd, home: process.env['HOME'] ?? '/'});
  const [password] = found.passwords;
  if (password === undefined)
    throw Object.assign(new Error(found.problems.map((problem) => problem.message).join('\n')), {code: 'EPASSWORD'});
  return password;
}

async function encryptString(text: string | undefined, password: VaultPassword, options: Options): Promise<void> {
  const plain = text ?? (await readStdin()).toString('utf8').replace(/\n$/, '');
  const vault = encrypt(Secret.of(plain), {password: password.password, salt: randomBytes(32), ...idOf(password)});
  const name = options['name'];
  process.stdout.write(
    `${name === undefined ? '' : `${String(name)}: `}!vault |\n${vault.trimEnd().replace(/^/gm, '          ')}\n`,
  );
}

function act(
  verb: Exclude<VaultVerb, 'encrypt-string'>,
  file: string,
  passwords: readonly VaultPassword[],
  next: VaultPassword | undefined,
  options: Options,
): boolean {
  const text = readFileSync(file);
  if (verb === 'encrypt') {
    if (isVault(text)) return fail(`${file} is encrypted already`);
    replace(
      file,
      encrypt(text, {password: passwords[0]!.password, salt: randomBytes(32), ...idOf(passwords[0]!)}),
      options,
    );
    return true;
  }
  if (!isVault(text)) return fail(`${file} is not an Ansible vault`);
  const opened = decrypt(text.toString('utf8'), passwords);
  if (!opened.ok) return fail(`${file}: ${opened.problems[0].message}`);
  const {bytes} = opened.value;
  switch (verb) {
    case 'view':
      process.stdout.write(bytes);
      return true;
    case 'decrypt':
      replace(file, bytes, options);
      return true;
    case 'rekey':
      replace(file, encrypt(bytes, {password: next!.password, salt: randomBytes(32), ...idOf(next!)}), options);
      return true;
    case 'edit': {
      const edited = edit(bytes);
      if (edited === undefined) return fail('the editor failed; the file is as it was');
      const id = vaultId(text.toString('utf8'));
      const password = passwords.find((p) => p.id === (id ?? 'default')) ?? passwords[0]!;
      if (!Buffer.from(bytes).equals(edited))
        replace(
          file,
          encrypt(edited, {password: password.password, salt: randomBytes(32), ...(id === undefined ? {} : {id})}),
          options,
        );
      return true;
    }
  }
}

/** The decrypted text lies in a folder of mode 0700 in memory-backed /dev/shm where there is one, and is removed whatever happens. */
function edit(bytes: Uint8Array): Buffer | undefined {
  const base =
    statSync('/dev/shm', {throwIfNoEntry: false})?.isDirectory() === true
      ? '/dev/shm'
      : (process.env['TMPDIR'] ?? '/tmp');
  const folder = mkdtempSync(join(base, 'tsplay-vault-'));
  try {
    const file = join(folder, 'vault.yml');
    writeFileSync(file, bytes, {mode: 0o600});
    const editor = process.env['EDITOR'] ?? 'vi';
    const {status} = spawnSync('/bin/sh', ['-c', `${editor} "$1"`, 'sh', file], {stdio: 'inherit'});
    return status === 0 ? readFileSync(file) : undefined;
  } finally {
    rmSync(folder, {recursive: true, force: true});
  }
}

function replace(file: string, content: string | Uint8Array, options: Options): void {
  const to = options['output'] === undefined ? file : String(options['output']);
  if (to === '-') {
    process.stdout.write(content);
    return;
  }
  const mode = statSync(file).mode & 0o600;
  const draft = `${to}.${randomBytes(6).toString('hex')}.tmp`;
  writeFileSync(draft, content, {mode: mode === 0 ? 0o600 : mode, flag: 'wx'});
  renameSync(draft, to);
}

function idOf(password: VaultPassword): {id?: string} {
  return password.id === 'default' ? {} : {id: password.id};
}

function fail(message: string): false {
  process.stderr.write(`${message}\n`);
  process.exitCode = exitStatus.nothingAttempted;
  return false;
}
