// tsplay beside ansible-playbook and beside the limit (one `ssh host sh -s` that only reads), over the same playbook and the same hosts.
// Runs alternate, so that a busy machine is unfair to all alike; what is printed are medians of ratios within a round. `npm run bench`.
import {spawnSync} from 'node:child_process';
import {mkdtempSync, readFileSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {parseArgs} from 'node:util';

const {values} = parseArgs({
  options: {rounds: {type: 'string', default: '5'}, hosts: {type: 'string', default: 'py1,py2,py3,py4'}},
});
const rounds = Number(values.rounds);
const names = values.hosts.split(',');
const lab = process.env['TSPLAY_LAB'] ?? '/var/lib/tsplay-lab';
const here = import.meta.dirname;
const root = join(here, '..');

type Cost = {readonly wallS: number; readonly cpuS: number; readonly exit: number; readonly output: string};

/** Runs a command. *units*: seconds; CPU is that of the process and of the children it waited for (Ansible's control masters are not among them). */
function timed(argv: readonly string[], env: Readonly<Record<string, string>> = {}, stdin = ''): Cost {
  const script = 'TIMEFORMAT="@@ %R %U %S"; time "$@"';
  const ran = spawnSync('bash', ['-c', script, 'bash', ...argv], {
    cwd: here,
    input: stdin,
    encoding: 'utf8',
    env: {...process.env, ...env},
    maxBuffer: 1 << 28,
  });
  const [, real = 'NaN', user = 'NaN', system = 'NaN'] = /@@ (\S+) (\S+) (\S+)\s*$/.exec(ran.stderr) ?? [];
  return {
    wallS: Number(real),
    cpuS: Number(user) + Number(system),
    exit: ran.status ?? -1,
    output: ran.stdout + ran.stderr.slice(0, ran.stderr.lastIndexOf('@@')),
  };
}

function labScript(...args: readonly string[]): string {
  const ran = spawnSync('bash', [join(root, 'lab', 'lab.sh'), ...args], {encoding: 'utf8'});
  if (ran.status !== 0) throw new Error(`lab.sh ${args.join(' ')}: ${ran.stderr}`);
  return ran.stdout;
}

const folder = mkdtempSync(join(tmpdir(), 'tsplay-bench-'));
labScript('up', ...names);
const known = readFileSync(join(lab, 'known_hosts'), 'utf8');
const addresses = names.map((name) => {
  const address = new RegExp(`^([\\d.]+),${name},`, 'm').exec(known)?.[1];
  if (address === undefined) throw new Error(`the lab knows no host ${name}`);
  return address;
});
function inventory(count: number): string {
  const file = join(folder, `hosts-${count}.yml`);
  const hosts = names.slice(0, count).map((name, i) => `    ${name}: {ansible_host: ${addresses[i]}}\n`);
  const vars = `  vars:\n    ansible_user: admin\n    ansible_ssh_private_key_file: ${lab}/id\n    ansible_python_interpreter: /usr/bin/python3\n`;
  writeFileSync(file, `all:\n${vars}  hosts:\n${hosts.join('')}`, {mode: 0o600});
  return file;
}

const ansibleEnv = {
  ANSIBLE_HOST_KEY_CHECKING: 'True',
  ANSIBLE_SSH_ARGS: `-o ControlMaster=auto -o ControlPersist=30 -o UserKnownHostsFile=${lab}/known_hosts`,
  ANSIBLE_PIPELINING: 'True',
  ANSIBLE_FORKS: '50',
  ANSIBLE_GATHERING: 'explicit',
  ANSIBLE_NOCOLOR: '1',
};
const tsplayEnv = {TSPLAY_KNOWN_HOSTS: join(lab, 'known_hosts'), TSPLAY_STATE: join(folder, 'state')};
const tsplay = (count: number, mode: 'run' | 'check'): Cost =>
  timed(['node', join(root, 'bin', 'tsplay.js'), mode, 'work.yml', '-i', inventory(count)], tsplayEnv);
const ansible = (count: number, mode: 'run' | 'check'): Cost =>
  timed(
    ['ansible-playbook', 'work.yml', '-i', inventory(count), ...(mode === 'check' ? ['--check', '--diff'] : [])],
    ansibleEnv,
  );
const limit = (count: number): Cost =>
  timed([
    'sh',
    '-c',
    `for host in ${addresses.slice(0, count).join(' ')}; do
       ssh -F none -o UserKnownHostsFile=${lab}/known_hosts -o KexAlgorithms=curve25519-sha256 -i ${lab}/id admin@$host 'sudo sh -s' < limit.sh &
     done; wait`,
  ]);

function must(what: string, cost: Cost, exits: readonly number[]): Cost {
  if (!exits.includes(cost.exit)) throw new Error(`${what}: exit status ${cost.exit}\n${cost.output.slice(-3000)}`);
  return cost;
}

function median(numbers: readonly number[]): number {
  return numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)] ?? Number.NaN;
}

const pad = (text: string, width: number): string => text.padStart(width);
const seconds = (costs: readonly Cost[], of: 'wallS' | 'cpuS'): string =>
  median(costs.map((cost) => cost[of])).toFixed(2);

type Row = {readonly name: string; readonly of: Readonly<Record<'tsplay' | 'ansible' | 'limit', Cost[]>>};

/** The cases for a number of hosts, in the order in which they follow from each other: bare, converged, checked. */
function measure(count: number): readonly Row[] {
  const row = (name: string): Row => ({name: `${count} ${name}`, of: {tsplay: [], ansible: [], limit: []}});
  const [cold, again, check] = [row('cold'), row('again'), row('check')];
  for (let round = 0; round < rounds; round++) {
    labScript('reset', ...names.slice(0, count));
    cold.of.ansible.push(must('ansible cold', ansible(count, 'run'), [0]));
    again.of.ansible.push(must('ansible again', ansible(count, 'run'), [0]));
    check.of.ansible.push(must('ansible check', ansible(count, 'check'), [0]));
    labScript('reset', ...names.slice(0, count));
    cold.of.tsplay.push(must('tsplay cold', tsplay(count, 'run'), [0]));
    again.of.tsplay.push(must('tsplay again', tsplay(count, 'run'), [0]));
    check.of.tsplay.push(must('tsplay check', tsplay(count, 'check'), [0]));
    again.of.limit.push(must('limit', limit(count), [0]));
  }
  return [cold, again, check];
}

try {
  console.log(`${rounds} rounds, medians; the ratio is ansible / tsplay within a round; cpu is the controller's`);
  console.log('hosts, case    tsplay wall   cpu   ansible wall   cpu   limit wall   cpu   ratio wall    cpu');
  for (const count of new Set([1, names.length])) {
    for (const {name, of} of measure(count)) {
      const ratio = (what: 'wallS' | 'cpuS'): string =>
        `${median(of.tsplay.map((cost, i) => (of.ansible[i]?.[what] ?? Number.NaN) / cost[what])).toFixed(1)}x`;
      const none = of.limit.length === 0;
      console.log(
        [
          name.padEnd(12),
          pad(seconds(of.tsplay, 'wallS'), 13),
          pad(seconds(of.tsplay, 'cpuS'), 6),
          pad(seconds(of.ansible, 'wallS'), 15),
          pad(seconds(of.ansible, 'cpuS'), 6),
          pad(none ? '-' : seconds(of.limit, 'wallS'), 13),
          pad(none ? '-' : seconds(of.limit, 'cpuS'), 6),
          pad(ratio('wallS'), 13),
          pad(ratio('cpuS'), 7),
        ].join(''),
      );
    }
  }
} finally {
  rmSync(folder, {recursive: true, force: true});
}
