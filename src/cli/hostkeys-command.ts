import {acceptHostKeys, surveyHostKeys} from '../remote/hostkeys.ts';
import {settingsOf, sshSettings} from '../remote/connector.ts';
import {keyNameOf, knownKeysOf} from '../remote/host-key-check.ts';
import {fingerprint, knownName} from '../remote/known-hosts.ts';
import {exitStatus} from './exit-status.ts';
import {keyTable} from './host-keys.ts';
import {hostsOf, tell, type HostSet, type Options} from './on-hosts.ts';
import {askText} from './prompt.ts';

/** `tsplay hostkeys scan|list [PATTERN]`. Exit status: 1 while a host's key is not known, 4 where a host could not be greeted. */
export async function hostkeysCommand(
  verb: 'scan' | 'list',
  pattern: string | undefined,
  options: Options,
): Promise<void> {
  const set = await hostsOf(pattern ?? 'all', options);
  if (set === undefined) process.exitCode = exitStatus.nothingAttempted;
  else if (verb === 'list') await listKeys(set, options['output'] === 'json');
  else await scan(set, options);
}

/** What the files know of each host, with the place of each key. */
async function listKeys(set: HostSet, asJson: boolean): Promise<void> {
  const shared = sshSettings(set.connector);
  const rows: {host: string; name: string; keyType: string; sha256: string; at: string; marker?: string}[] = [];
  const unknown: string[] = [];
  for (const {name, target} of set.hosts) {
    if (target.transport === 'local') continue;
    const settings = await settingsOf(target, shared);
    const {keys, authorities, revoked} = knownKeysOf(settings, shared.hostKeys);
    const where = keyNameOf(settings);
    const lines = [...keys, ...authorities, ...revoked];
    if (keys.length + authorities.length === 0) unknown.push(name);
    for (const line of lines)
      rows.push({
        host: name,
        name: knownName(where.host, where.port),
        keyType: line.keyType,
        sha256: fingerprint(line.key),
        at: `${line.file}:${line.line}`,
        ...(line.marker === 'none' ? {} : {marker: line.marker}),
      });
  }
  if (asJson) process.stdout.write(`${JSON.stringify({schema: 1, keys: rows, unknown}, undefined, 2)}\n`);
  else {
    const width = Math.max(0, ...rows.map(({host}) => host.length), ...unknown.map((host) => host.length));
    for (const {host, name, keyType, sha256, at, marker} of rows)
      process.stdout.write(
        `${host.padEnd(width)}  ${keyType.padEnd(12)}  ${sha256}  ${name}  ${at}${marker === undefined ? '' : `  @${marker}`}\n`,
      );
    for (const host of unknown) process.stdout.write(`${host.padEnd(width)}  not known\n`);
  }
  process.exitCode = unknown.length > 0 ? exitStatus.nothingAttempted : exitStatus.ok;
}

/** Greets the hosts that no file knows, and takes their keys where that is wanted. */
async function scan(set: HostSet, options: Options): Promise<void> {
  let targets = set.hosts.map(({target}) => target);
  let isComplete = true;
  let isReachable = true;
  for (;;) {
    const survey = await surveyHostKeys(targets, sshSettings(set.connector));
    for (const {target, problem} of [...survey.refused, ...survey.unreachable]) {
      isReachable = false;
      tell({
        severity: 'error',
        code: problem.kind,
        message: `${target.host}: ${problem.message}`,
        ...(problem.help === undefined ? {} : {help: problem.help}),
      });
    }
    process.stdout.write(`${survey.known.length} known, ${survey.unknown.length} not known\n`);
    if (survey.unknown.length === 0) break;
    process.stdout.write(keyTable(survey.unknown));
    const taken =
      options['acceptNewHostKeys'] === true ||
      (process.stdin.isTTY && /^y(es)?$/i.test((await askText('Take these keys into known_hosts? [y/N] ')).trim()));
    if (!taken) {
      isComplete = false;
      process.stdout.write('compare the fingerprints, then `--accept-new-host-keys`\n');
      break;
    }
    acceptHostKeys(survey.unknown);
    for (const file of new Set(survey.unknown.map((key) => key.file)))
      process.stdout.write(`written to ${file ?? 'no file'}\n`);
    // hosts behind a jump host that has become known only now
    targets = [...survey.behind];
    if (targets.length === 0) break;
  }
  process.exitCode = isComplete ? (isReachable ? exitStatus.ok : 4) : exitStatus.nothingAttempted;
}
