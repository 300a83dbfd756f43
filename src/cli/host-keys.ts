import type {Diagnostic} from '../base/diagnostic.ts';
import type {RunContext} from '../engine/context.ts';
import {HostState} from '../engine/host.ts';
import type {ConnectorOptions} from '../remote/connector.ts';
import type {Target} from '../remote/session.ts';
import {askText} from './prompt.ts';

/**
 * Looks the hosts' keys up before the run. All unknown ones appear in one table with one decision: yes on a terminal, or `--accept-new-host-keys`.
 * false = unknown keys were not taken, so nothing is attempted. A changed key is no matter of this table: that host is unreachable.
 */
export async function confirmHostKeys(
  run: Omit<RunContext, 'stateOf'>,
  options: ConnectorOptions,
  accept: boolean,
  interactive: boolean,
  tell: (problem: Diagnostic) => void,
): Promise<boolean> {
  const targets = new Map<string, Target>();
  for (const play of run.site.program.plays) {
    for (const name of run.site.hostsOf(play)) {
      if (targets.has(name)) continue;
      const state = new HostState(
        name,
        {facts: {}, setFacts: new Map(), registered: new Map(), includedVars: new Map()},
        run.connector,
        run.emit,
      );
      const target = run.targetOf(state, run.site.scopeFor(name, play, undefined, state.memory));
      if (target.transport === 'ssh') targets.set(name, target);
    }
  }
  if (targets.size === 0) return true;
  const [{surveyHostKeys}, {sshSettings}, {appendKnownHosts}] = await Promise.all([
    import('../remote/hostkeys.ts'),
    import('../remote/connector.ts'),
    import('../remote/known-hosts-files.ts'),
  ]);
  const survey = await surveyHostKeys([...targets.values()], sshSettings(options), run.signal);
  if (survey.unknown.length === 0) return true;
  const width = Math.max(...survey.unknown.map((key) => key.host.length));
  const table = survey.unknown
    .map((key) => `  ${key.host.padEnd(width)}  ${key.keyType.padEnd(12)}  ${key.sha256}`)
    .join('\n');
  process.stderr.write(`Hosts that no known_hosts file knows:\n${table}\n`);
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
  const byFile = new Map<string, typeof survey.unknown>();
  for (const key of survey.unknown)
    if (key.file !== undefined) byFile.set(key.file, [...(byFile.get(key.file) ?? []), key]);
  for (const [file, keys] of byFile) appendKnownHosts(file, keys);
  return true;
}
