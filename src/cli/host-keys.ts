import type {Diagnostic} from '../base/diagnostic.ts';
import type {ConnectorOptions} from '../remote/connector.ts';
import type {UnknownKey} from '../remote/hostkeys.ts';
import type {Target} from '../remote/session.ts';
import {askText} from './prompt.ts';

/**
 * Looks the hosts' keys up before the run. All unknown ones appear in one table with one decision: yes on a terminal, or `--accept-new-host-keys`.
 * false = unknown keys were not taken, so nothing is attempted. A changed key is no matter of this table: that host is unreachable.
 */
export async function confirmHostKeys(
  all: readonly Target[],
  options: ConnectorOptions,
  accept: boolean,
  interactive: boolean,
  tell: (problem: Diagnostic) => void,
  signal: AbortSignal,
): Promise<boolean> {
  const targets = all.filter((target) => target.transport === 'ssh');
  if (targets.length === 0) return true;
  const [{surveyHostKeys, acceptHostKeys}, {sshSettings}] = await Promise.all([
    import('../remote/hostkeys.ts'),
    import('../remote/connector.ts'),
  ]);
  const survey = await surveyHostKeys(targets, sshSettings(options), signal);
  if (survey.unknown.length === 0) return true;
  process.stderr.write(`Hosts that no known_hosts file knows:\n${keyTable(survey.unknown)}`);
  const yes =
    accept || (interactive && /^y(es)?$/i.test((await askText('Take these keys into known_hosts? [y/N] ')).trim()));
  if (!yes) {
    tell({
      severity: 'error',
      code: 'unknown-host-keys',
      message: `${survey.unknown.length} host keys are not known; nothing was attempted`,
      help: 'compare the fingerprints, then `--accept-new-host-keys`',
    });
    return false;
  }
  acceptHostKeys(survey.unknown);
  return true;
}

/** Keys in a line each: host, type, fingerprint. */
export function keyTable(keys: readonly Pick<UnknownKey, 'host' | 'keyType' | 'sha256'>[]): string {
  const width = Math.max(...keys.map((key) => key.host.length));
  return keys.map((key) => `  ${key.host.padEnd(width)}  ${key.keyType.padEnd(12)}  ${key.sha256}\n`).join('');
}
