// Asks before the run, once for all hosts: names are looked up offline, and only hosts that no file knows are greeted, all
// at the same time, so that all unknown keys can stand in one table with one decision.
import {Unreachable} from './errors.ts';
import {keyNameOf, knownKeysOf, refuseKey} from './host-key-check.ts';
import type {HostSettings} from './host-settings.ts';
import {appendKnownHosts} from './known-hosts-files.ts';
import {fingerprint, isKnown, keyTypeOf} from './known-hosts.ts';
import type {Target} from './session.ts';
import {logIn} from './ssh-login.ts';
import {hopOf, reach, type SshSettings} from './ssh.ts';
import {settingsOf} from './connector.ts';

/** A key that no known_hosts file has. `sha256` is `SHA256:…`; `file` is where it would be written. */
export type UnknownKey = {
  readonly target: Target;
  readonly keyType: string;
  readonly sha256: string;
  readonly key: Buffer;
  readonly file: string | undefined;
  readonly host: string;
  readonly port: number;
  readonly hashed: boolean;
};

/**
 * What is known of the hosts of a run before it begins. `refused`: hosts whose key is revoked; `unreachable`: not known and
 * not to be greeted now; `behind`: not known, and behind a jump host that is not known either: survey again once it is.
 */
export type HostKeySurvey = {
  readonly known: readonly Target[];
  readonly unknown: readonly UnknownKey[];
  readonly refused: readonly {readonly target: Target; readonly problem: Unreachable}[];
  readonly unreachable: readonly {readonly target: Target; readonly problem: Unreachable}[];
  readonly behind: readonly Target[];
};

/** Surveys the hosts of a run, and their jump hosts. Opens no connection for hosts that are known. */
export async function surveyHostKeys(
  targets: readonly Target[],
  shared: SshSettings,
  signal?: AbortSignal,
): Promise<HostKeySurvey> {
  const survey = {
    known: [] as Target[],
    unknown: [] as UnknownKey[],
    refused: [] as {target: Target; problem: Unreachable}[],
    unreachable: [] as {target: Target; problem: Unreachable}[],
    behind: [] as Target[],
  };
  const jumps = new Map<string, Promise<boolean>>();
  /** Whether a host's key is known; otherwise it is greeted, and the answer is written into the survey. */
  const look = async (target: Target, settings: HostSettings, isJump: boolean): Promise<boolean> => {
    const isThere = isKnown(knownKeysOf(settings, shared.hostKeys));
    if (isThere && !isJump) survey.known.push(target);
    if (settings.jumps.length > 0) {
      const hop = await hopOf(target, settings, shared.config);
      const {host, port} = keyNameOf(hop.settings);
      const key = `${host}:${port}`;
      const asked = jumps.get(key) ?? look(hop.target, hop.settings, true);
      jumps.set(key, asked);
      if (!(await asked)) {
        if (!isThere) survey.behind.push(target);
        return false;
      }
    }
    if (isThere) return true;
    const found = await greet(target, settings, shared, signal);
    if ('key' in found) survey.unknown.push(found);
    else if (found.kind === 'host-key-revoked') survey.refused.push({target, problem: found});
    else survey.unreachable.push({target, problem: found});
    return false;
  };
  await Promise.all(
    targets.map(async (target) => {
      if (target.transport === 'local') {
        survey.known.push(target);
        return;
      }
      try {
        await look(target, await settingsOf(target, shared), false);
      } catch (problem) {
        if (!(problem instanceof Unreachable)) throw problem;
        survey.unreachable.push({target, problem});
      }
    }),
  );
  return survey;
}

/** Trusts these keys from now on. */
export function acceptHostKeys(keys: readonly UnknownKey[]): void {
  for (const [file, entries] of Map.groupBy(keys, (key) => key.file)) {
    if (file !== undefined) appendKnownHosts(file, entries);
  }
}

/** Goes as far as the host's key, and no further. */
async function greet(
  target: Target,
  settings: HostSettings,
  shared: SshSettings,
  signal: AbortSignal | undefined,
): Promise<UnknownKey | Unreachable> {
  const known = knownKeysOf(settings, shared.hostKeys);
  let shown: Buffer | undefined;
  const seen = new Unreachable('host-key-unknown', 'seen enough');
  try {
    await reach(target, settings, shared, signal, 0, (socket) =>
      logIn({
        socket,
        settings,
        offers: Promise.resolve({offers: [], notes: []}),
        known,
        refuse: (key) => {
          shown = key;
          return seen;
        },
        name: target.host,
        timeoutMs: target.timeoutMs,
        signal,
        trace: shared.trace,
        log: shared.log,
      }),
    );
  } catch (problem) {
    if (!(problem instanceof Unreachable)) throw problem;
    if (shown === undefined) return problem;
  }
  const key = shown ?? Buffer.alloc(0);
  const refused = refuseKey(key, known, settings, {...shared.hostKeys, unknown: 'refuse'}, target.host);
  if (refused !== undefined && refused.kind !== 'host-key-unknown') return refused;
  return {
    target,
    keyType: keyTypeOf(key),
    sha256: fingerprint(key),
    key,
    file: (shared.hostKeys.files ?? settings.knownHostsFiles)[0],
    ...keyNameOf(settings),
    hashed: settings.hashKnownHosts,
  };
}
