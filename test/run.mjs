// `npm test`: sets up what is missing, then runs every check and test that this machine can run, and ends with one line of counts.
// Plain JavaScript for the machine's own Node, because it runs before anything is installed.
import {spawn, spawnSync} from 'node:child_process';
import {createHash} from 'node:crypto';
import {existsSync, readFileSync, writeFileSync} from 'node:fs';
import path from 'node:path';
import {createInterface} from 'node:readline';

const root = path.dirname(import.meta.dirname ?? path.dirname(new URL(import.meta.url).pathname));
process.chdir(root);
const bin = path.join(root, 'node_modules', '.bin');
const env = {...process.env, PATH: `${bin}:${process.env.PATH}`, FORCE_COLOR: '0', NODE_OPTIONS: ''};
const counts = {passed: 0, failed: 0, skipped: 0};
const failures = [];
const isRoot = process.getuid?.() === 0;

/** Debian packages that tests compare with or need on this machine; none of them may start a service here. */
const debianPackages = [
  'python3-jinja2',
  'python3-yaml',
  'ansible-core',
  'busybox',
  'chromium',
  'openssh-client',
  'openssh-server',
  'sudo',
  'postgresql',
  'prometheus',
];

function note(outcome, name, detail = '') {
  counts[outcome]++;
  if (outcome === 'failed') failures.push(name);
  if (outcome !== 'passed')
    console.log(`${outcome === 'failed' ? 'FAILED' : 'skipped'}: ${name}${detail === '' ? '' : ` (${detail})`}`);
}

function run(command, args, options = {}) {
  return spawnSync(command, args, {env, stdio: ['ignore', 'inherit', 'inherit'], ...options}).status ?? 1;
}

/** The packages of the lock file, installed once; a changed lock installs anew. */
function installPackages() {
  const wanted = createHash('sha256').update(readFileSync('package-lock.json')).digest('hex');
  const stamp = path.join('node_modules', '.tsplay-lock');
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === wanted) return;
  console.log('# installing npm packages');
  if (run('npm', ['ci', '--no-audit', '--no-fund', '--loglevel=error'], {env: process.env}) !== 0) {
    console.log('npm ci failed');
    process.exit(1);
  }
  writeFileSync(stamp, wanted);
}

function installDebianPackages() {
  const missing = debianPackages.filter(
    (name) =>
      !/install ok installed/.test(
        spawnSync('dpkg-query', ['-W', '-f', '${Status}', name], {encoding: 'utf8'}).stdout ?? '',
      ),
  );
  if (missing.length === 0) return;
  const sudo = isRoot ? [] : ['sudo', '-n'];
  console.log(`# installing Debian packages: ${missing.join(' ')}`);
  // Nothing installed for tests may start a service on this machine.
  const policy = '/usr/sbin/policy-rc.d';
  const script = `
    had=; [ -e ${policy} ] && had=1
    [ -n "$had" ] || { printf '#!/bin/sh\\nexit 101\\n' > ${policy}; chmod 755 ${policy}; }
    export DEBIAN_FRONTEND=noninteractive
    apt-get install -y -q --no-install-recommends ${missing.join(' ')} || { apt-get update -q && apt-get install -y -q --no-install-recommends ${missing.join(' ')}; }
    status=$?
    [ -n "$had" ] || rm -f ${policy}
    exit $status`;
  const [command, ...args] = [...sudo, 'sh', '-c', script];
  const status = run(command, args, {stdio: ['ignore', 'ignore', 'inherit']});
  if (status !== 0) console.log(`# could not install ${missing.join(' ')}: tests that need them are skipped`);
}

function check(name, command, args) {
  console.log(`# ${name}`);
  note(run(command, args) === 0 ? 'passed' : 'failed', name);
}

/** Runs ava and counts its TAP lines as they come. */
async function ava(name, args, extraEnv = {}) {
  console.log(`# ${name}`);
  const child = spawn(path.join(bin, 'ava'), ['--tap', ...args], {
    env: {...env, ...extraEnv},
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let seen = 0;
  let inFailure = false;
  for await (const line of createInterface({input: child.stdout})) {
    const match = /^(not )?ok \d+ - (.*)$/.exec(line);
    if (match !== null) {
      seen++;
      const title = match[2].replace(/ # (SKIP|TODO).*$/, '');
      const skipped = / # (SKIP|TODO)/.test(line);
      inFailure = !skipped && match[1] !== undefined;
      note(skipped ? 'skipped' : inFailure ? 'failed' : 'passed', `${name}: ${title}`);
    } else if (inFailure && /^\s/.test(line)) console.log(line);
  }
  const status = await new Promise((resolve) =>
    child.exitCode === null ? child.on('close', resolve) : resolve(child.exitCode),
  );
  if (seen === 0) note('failed', `${name}: no test ran`);
  else if (status !== 0 && failures.length === 0) note('failed', `${name}: ava ended with status ${status}`);
}

installPackages();
installDebianPackages();
check('types', 'tsc', ['-p', '.']);
check('lint', 'eslint', ['.', '--max-warnings', '0']);
check('format', 'prettier', ['--check', '--log-level', 'warn', '.']);
check('layers', 'depcruise', ['--config', '.dependency-cruiser.cjs', 'src', 'modules', 'test']);
check('build', 'npm', ['run', '--silent', 'build']);
await ava('unit', []);

const labScript = path.join('lab', 'lab.sh');
const labHosts = ['kvm1', 'kvm2', 'client1', 'crypt1', 'busybox1', 'bare1', 'bare2', 'bare3'];
const labReady = isRoot || spawnSync('sudo', ['-n', 'true']).status === 0;
if (!labReady) note('skipped', 'lab tests', 'they need root or passwordless sudo');
else {
  const wasUp = spawnSync('bash', [labScript, 'is-up'], {stdio: 'ignore'}).status === 0;
  console.log('# lab');
  if (run('bash', [labScript, 'up', ...labHosts]) !== 0) note('failed', 'lab: it does not come up');
  else await ava('lab', ['--config', 'test/lab/ava.config.js']);
  if (!wasUp) run('bash', [labScript, 'down']);
}

if (failures.length > 0) console.log(`\nfailed:\n${failures.map((name) => `  ${name}`).join('\n')}`);
console.log(
  `\n${counts.passed} passed, ${counts.failed} failed${counts.skipped > 0 ? `, ${counts.skipped} skipped` : ''}`,
);
process.exitCode = counts.failed > 0 ? 1 : 0;
