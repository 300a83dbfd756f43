import {askSecret} from './prompt.ts';
import type {Settings} from './settings.ts';
import type {ConnectionOptions} from './targets.ts';

/** What the command line and the settings say of connections; asks for passwords where that was wanted. *errors*: NoTerminal. */
export async function readConnectionOptions(
  options: Readonly<Record<string, unknown>>,
  settings: Settings,
): Promise<ConnectionOptions> {
  const text = (name: string): string | undefined => (options[name] === undefined ? undefined : String(options[name]));
  const password = options['askPass'] === true ? await askSecret('SSH password: ') : undefined;
  const becomePassword = options['askBecomePass'] === true ? await askSecret('BECOME password: ') : undefined;
  return {
    user: text('user') ?? settings.remote_user,
    privateKey: text('privateKey') ?? settings.private_key,
    password,
    passphrase: undefined,
    transport: text('connection'),
    become: options['become'] === true,
    becomeUser: text('becomeUser'),
    becomeMethod: text('becomeMethod'),
    becomePassword,
    timeoutMs: Number(options['timeout'] ?? settings.timeout ?? 15) * 1000,
  };
}
