// What we can prove who we are with, in the order in which it is offered: the key that was named, the agent's keys, the
// configured or usual key files, the password.
import type {AnyAuthMethod} from 'ssh2';
import {Unreachable} from './errors.ts';
import {expandTokens, type Env, type HostSettings} from './host-settings.ts';
import {agentKeys, keySha256, readKeyFile, type AgentKey, type KeyFile} from './identity.ts';
import type {Target} from './session.ts';

type Ssh2 = typeof import('ssh2');

/** One thing to offer. `method` is what the server calls it; `what` names it for people. */
export type Offer = {
  readonly method: 'publickey' | 'password' | 'keyboard-interactive';
  readonly what: string;
  readonly auth: AnyAuthMethod;
  readonly keySha256?: string;
};

/** All offers, and notes on what could not be offered. */
export type Offers = {readonly offers: readonly Offer[]; readonly notes: string[]};

/** With a password at hand, keys that nobody named may use up only so many of the server's tries (sshd allows 6). */
const UNNAMED_KEYS_BEFORE_PASSWORD = 3;

/** *errors*: throws {@link Unreachable} when the key that was named cannot be used and there is no password instead. */
export async function collectOffers(
  ssh2: Ssh2,
  target: Pick<Target, 'privateKeyFile' | 'password' | 'passphrase'>,
  settings: HostSettings,
  env: Env,
  name: string,
): Promise<Offers> {
  const {user} = settings;
  const notes: string[] = [];
  const passphrase = target.passphrase?.reveal();
  const held = await heldKeys(ssh2, settings, notes);
  const named =
    target.privateKeyFile === undefined
      ? []
      : [await readKeyFile(ssh2, expandTokens(target.privateKeyFile, {...settings, env}), passphrase)];
  const usual = await Promise.all(settings.identityFiles.map((path) => readKeyFile(ssh2, path, passphrase)));

  const seen = new Set<string>();
  const offers: Offer[] = [];
  const offer = (auth: AnyAuthMethod, what: string, publicPart: Buffer): void => {
    const sha256 = keySha256(publicPart);
    if (seen.has(sha256)) return;
    seen.add(sha256);
    offers.push({method: 'publickey', what, auth, keySha256: sha256});
  };
  const inAgent = (publicPart: Buffer | undefined): AgentKey | undefined =>
    publicPart === undefined ? undefined : held.find((key) => key.public.equals(publicPart));
  const offerAgent = (key: AgentKey): void =>
    offer(
      {type: 'agent', username: user, agent: key.agent},
      `agent key ${key.comment || keySha256(key.public)}`,
      key.public,
    );
  const offerFile = (file: KeyFile): boolean => {
    if (file.state === 'usable') {
      offer({type: 'publickey', username: user, key: file.key}, `key ${file.path}`, file.public);
      return true;
    }
    const agentKey = file.state === 'locked' ? inAgent(file.public) : undefined;
    if (agentKey === undefined) return false;
    offerAgent(agentKey);
    return true;
  };

  for (const file of named) {
    if (offerFile(file) || file.state === 'usable') continue;
    if (target.password === undefined) throw namedKeyUnusable(file, name);
    notes.push(`key ${file.path} was skipped: ${file.why}`);
  }
  const afterNamed = offers.length;
  const ofFiles = new Set(
    [...named, ...usual].flatMap((file) => ('public' in file && file.public ? [keySha256(file.public)] : [])),
  );
  for (const key of held) if (ofFiles.has(keySha256(key.public))) offerAgent(key);
  if (!settings.identitiesOnly) held.forEach(offerAgent);
  for (const file of usual) {
    if (!offerFile(file) && file.state !== 'absent' && file.state !== 'usable')
      notes.push(`key ${file.path} was skipped: ${file.why}`);
  }
  if (target.password !== undefined) {
    const most = afterNamed + UNNAMED_KEYS_BEFORE_PASSWORD;
    if (offers.length > most) {
      notes.push(`${offers.length - most} further keys were kept back, so that the password gets its turn`);
      offers.length = most;
    }
    offers.push(...passwordOffers(target.password.reveal(), user));
  }
  return {offers, notes};
}

async function heldKeys(ssh2: Ssh2, {agentSocket}: HostSettings, notes: string[]): Promise<readonly AgentKey[]> {
  if (agentSocket === undefined) return [];
  try {
    return await agentKeys(ssh2, agentSocket, (comment) => notes.push(`the agent refused to sign with ${comment}`));
  } catch (problem) {
    notes.push(`the agent at ${agentSocket} could not be asked: ${(problem as Error).message}`);
    return [];
  }
}

function namedKeyUnusable(file: Exclude<KeyFile, {state: 'usable'}>, name: string): Unreachable {
  const help =
    file.state === 'locked'
      ? file.why.includes('wrong')
        ? 'correct ansible_ssh_private_key_passphrase, or load the key into an agent: ssh-add'
        : 'set ansible_ssh_private_key_passphrase (from a vault), or load the key into an agent: ssh-add'
      : undefined;
  return new Unreachable('auth', `${name}: the private key ${file.path} cannot be used: ${file.why}`, help);
}

/** The password itself, and the same in answer to a question: for servers that only ask. */
function passwordOffers(password: string, username: string): readonly Offer[] {
  let answered = false;
  return [
    {method: 'password', what: 'the password', auth: {type: 'password', username, password}},
    {
      method: 'keyboard-interactive',
      what: 'the password, as an answer',
      auth: {
        type: 'keyboard-interactive',
        username,
        prompt: (_name, _instructions, _language, prompts, finish) => {
          const answers = prompts.map(({prompt, echo}) => {
            if (echo === true || answered || /code|token|otp|verification/i.test(prompt)) return '';
            answered = true;
            return password;
          });
          finish(answers);
        },
      },
    },
  ];
}
