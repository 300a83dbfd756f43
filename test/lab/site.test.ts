import {mkdtemp, readFile, readdir, rm} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import path from 'node:path';
import test from 'ava';
import {runHere, runIn} from '../../lab/proof/lab-host.ts';
import {allProofs} from '../../lab/proof/all.ts';
import {secretsOf} from '../../lab/proof/site-secrets.ts';
import {watchGuest} from './guest-processes.ts';
import {watchProcesses} from './process-watch.ts';
import {troubles, tsplay} from './run-tsplay.ts';

const site = 'playbooks/site.yml';
const hosts = ['kvm1', 'kvm2', 'client1', 'crypt1'] as const;

/** All secrets of the inventory; of the private key, a line from its middle. */
const secrets = (
  await Promise.all(
    hosts.map(async (host) =>
      [...(await secretsOf(host)).values()].map((text) => {
        const lines = text.trim().split('\n');
        return lines[Math.floor(lines.length / 2)] ?? '';
      }),
    ),
  )
).flat();

/** Where secrets belong, and nowhere else. */
const homes: Readonly<Record<string, readonly string[]>> = {
  kvm1: ['/var/spice/sasl/passwd.db'],
  client1: ['/home/myself/.ssh/id_uvmb'],
};

let state = '';
test.before(async (t) => {
  t.timeout(120_000);
  state = await mkdtemp(path.join(tmpdir(), 'tsplay-site-'));
  const reset = await runHere(['bash', 'lab/lab.sh', 'reset', ...hosts], '', 120_000);
  t.is(reset.exit, 0, reset.stderr);
});
test.after.always(() => rm(state, {recursive: true, force: true}));

const inState = (): Record<string, string> => ({TSPLAY_STATE: state});

/** Texts that a run left in any of these files: all of the controller's state. */
async function secretsIn(folder: string): Promise<readonly string[]> {
  const found: string[] = [];
  for (const entry of await readdir(folder, {recursive: true, withFileTypes: true})) {
    if (!entry.isFile()) continue;
    const file = path.join(entry.parentPath, entry.name);
    const text = await readFile(file, 'latin1');
    if (secrets.some((secret) => text.includes(secret))) found.push(file);
  }
  return found;
}

test.serial('check of bare hosts tells what would change and changes nothing', async (t) => {
  const before = await runIn('kvm1', [
    'sh',
    '-c',
    'find /etc /var/lib/libvirt -xdev -newer /etc/hostname -type f | sort',
  ]);
  const checked = await tsplay(['check', site, '--output', 'json'], inState());
  t.is(checked.exit, 8, troubles(checked));
  const after = await runIn('kvm1', [
    'sh',
    '-c',
    'find /etc /var/lib/libvirt -xdev -newer /etc/hostname -type f | sort',
  ]);
  t.is(after.stdout, before.stdout);
});

test.serial('bare hosts reach the whole site, and no secret is seen anywhere', async (t) => {
  t.timeout(300_000);
  const events = path.join(state, 'events.jsonl');
  // The watcher must be able to see: a text that certainly is in a command line, of ours and of a lab host's.
  const decoys = ['decoy-on-this-machine', 'decoy-in-a-lab-host'];
  const stopWatching = await watchProcesses([...secrets, ...decoys]);
  const stopGuest = await watchGuest('crypt1');
  await runHere(['sh', '-c', `sleep 0.3; : ${decoys[0]!}`]);
  await runIn('kvm2', ['sh', '-c', `sleep 0.3; : ${decoys[1]!}`]);

  const run = await tsplay(['run', site, '--diff', '-vvv', '--events', events, '--output', 'json'], inState());
  const guest = await stopGuest();
  const watched = await stopWatching();

  t.is(run.exit, 0, troubles(run));
  for (const host of hosts) t.true((run.report.hosts[host]?.changed ?? 0) > 0, `${host} was bare`);
  t.deepEqual(
    [...new Set(watched.found.map(({text}) => text).filter((text) => decoys.includes(text)))].sort(),
    [...decoys].sort(),
  );
  t.deepEqual(
    watched.found.filter(({text}) => !decoys.includes(text)),
    [],
  );
  t.true(guest.length > 5);
  t.deepEqual(
    guest.filter((line) => secrets.some((secret) => line.includes(secret))),
    [],
  );
  t.false(secrets.some((secret) => (run.stdout + run.stderr).includes(secret)));
  t.deepEqual(await secretsIn(state), []);
});

test.serial('secrets lie on hosts where they belong and nowhere else', async (t) => {
  for (const host of hosts) {
    const places = '/etc /root /home /tmp /run /var /dev/shm';
    const {stdout} = await runIn(
      host,
      ['sh', '-c', `grep -rlaF -D skip -f - ${places} 2>/dev/null; :`],
      `${secrets.join('\n')}\n`,
    );
    const found = stdout.split('\n').filter((file) => file !== '');
    t.deepEqual(found.sort(), [...(homes[host] ?? [])].sort(), host);
    const leftovers = await runIn(host, [
      'sh',
      '-c',
      "find /etc /root /home /tmp /run /var -xdev -name '.tsplay-*' 2>/dev/null; :",
    ]);
    t.is(leftovers.stdout, '', host);
  }
});

test.serial('the second run changes nothing and costs one exchange a host', async (t) => {
  const run = await tsplay(['run', site, '--output', 'json'], inState());
  t.is(run.exit, 0, troubles(run));
  for (const host of hosts) {
    const summary = run.report.hosts[host];
    t.like(summary, {status: 'ok', changed: 0, failed: 0, refused: 0, unknown: 0}, troubles(run));
    t.is(summary?.roundTrips, 1, host);
  }
});

test.serial('check of the site as declared exits with 0', async (t) => {
  const checked = await tsplay(['check', site, '--output', 'json'], inState());
  t.is(checked.exit, 0, troubles(checked));
});

/** A byte changed by hand, and the two lines that check shows for it. */
const slips = [
  {
    host: 'kvm1',
    file: '/etc/sasl2/qemu.conf',
    slip: 's/256/257/',
    module: 'sasl_conf',
    edits: ['-mech_list: plain scram-sha-257', '+mech_list: plain scram-sha-256'],
  },
  {
    host: 'kvm1',
    file: '/etc/ssh/sshd_config.d/50-tsplay-uvmb.conf',
    slip: 's/localhost:20001/localhost:20003/',
    module: 'ssh_restrict',
    edits: ['-    PermitOpen localhost:20003', '+    PermitOpen localhost:20001'],
  },
  {
    host: 'client1',
    file: '/home/myself/.ssh/config',
    slip: 's/31001/31002/',
    module: 'blockinfile',
    edits: ['-  LocalForward 31002 localhost:20001', '+  LocalForward 31001 localhost:20001'],
  },
] as const;

test.serial('a byte changed by hand: check shows its line and nothing else, run repairs it', async (t) => {
  t.timeout(120_000);
  const read = (): Promise<readonly string[]> =>
    Promise.all(slips.map(async ({host, file}) => (await runIn(host, ['cat', file])).stdout));
  const good = await read();
  for (const {host, file, slip} of slips) await runIn(host, ['sed', '-i', slip, file]);
  const bad = await read();
  for (const [i, text] of bad.entries()) t.not(text, good[i]);

  const checked = await tsplay(['check', site, '--output', 'json'], inState());
  t.is(checked.exit, 8, troubles(checked));
  t.deepEqual(await read(), bad, 'check changes nothing');
  const differing = checked.report.tasks.filter(({status}) => status === 'changed');
  for (const {host, module, edits} of slips) {
    const task = differing.find((one) => one.host === host && one.module === module);
    const shown = (task?.diff ?? '').split('\n').filter((line) => /^[-+](?![-+]{2} )/.test(line));
    t.deepEqual(shown, edits, `${host} ${module}`);
  }
  t.is(differing.length, slips.length, troubles(checked));
  t.is(checked.report.hosts['kvm2']?.changed, 0);
  t.is(checked.report.hosts['crypt1']?.changed, 0);

  const repaired = await tsplay(['run', site, '--output', 'json'], inState());
  t.is(repaired.exit, 0, troubles(repaired));
  t.deepEqual(await read(), good);
  const again = await tsplay(['check', site, '--output', 'json'], inState());
  t.is(again.exit, 0, troubles(again));
});

test.serial('a system can be run alone', async (t) => {
  const run = await tsplay(['run', 'playbooks/luks-guest.yml', '--output', 'json'], inState());
  t.is(run.exit, 0, troubles(run));
  t.deepEqual(Object.keys(run.report.hosts), ['crypt1']);
  t.is(run.report.hosts['crypt1']?.changed, 0);
});

for (const {host, claim, prove} of allProofs())
  test.serial(`${host}: ${claim}`, async (t) => {
    const {holds, saw} = await prove();
    t.true(holds, saw);
  });
