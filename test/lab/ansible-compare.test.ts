// The same playbook by Debian's ansible-playbook and by us, on the same host, brought back to its bare state in between: what the two leave behind must be
// equal, and a second run of ours finds nothing to do. The playbook is of our own writing; docs/ansible-compatibility.md tells what else was compared.
import {execFileSync} from 'node:child_process';
import {mkdir, mkdtemp, rm, writeFile} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import path from 'node:path';
import test from 'ava';
import {labFolder, runHere, runIn} from '../../lab/proof/lab-host.ts';
import {labMissing} from './own-site.ts';
import {troubles, tsplay} from './run-tsplay.ts';

const host = 'py4';
const address = '10.77.0.64';

function hasAnsible(): boolean {
  try {
    execFileSync('ansible-playbook', ['--version'], {stdio: 'ignore'});
    return true;
  } catch {
    return false;
  }
}

const playbook = `- hosts: all
  become: true
  vars:
    people:
      - {name: anna, groups: [staff, crew], key: "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIKVbHsTfKm3YLo9Z4qxw5qH9kBe0AqCFqN4hmY6mY4Cw anna"}
      - {name: bert, groups: [crew], shell: /bin/sh}
    greeting: ""
  tasks:
    - group: {name: crew, gid: 4000}
    - user:
        name: "{{ item.name }}"
        groups: "{{ item.groups }}"
        append: yes
        shell: "{{ item.shell | default('/bin/bash') }}"
        password: "!"
        password_expire_max: 90
      loop: "{{ people }}"
    - authorized_key: {user: "{{ item.name }}", key: "{{ item.key }}"}
      loop: "{{ people | selectattr('key', 'defined') | list }}"
    - copy:
        dest: /etc/sudoers.d/crew
        content: "%crew ALL=(ALL) NOPASSWD: /usr/bin/true\\n"
        mode: "0440"
        validate: visudo -cf %s
    - lineinfile: dest=/etc/ssh/sshd_config regexp='^#?X11Forwarding' line='X11Forwarding no' validate='/usr/sbin/sshd -t -f %s'
      notify: restart ssh
    - blockinfile:
        path: /etc/ssh/sshd_config
        marker: "# {mark} crew"
        block: |
          Match Group crew
            AllowTcpForwarding no
      notify: restart ssh
    - replace: {path: /etc/login.defs, regexp: '^UMASK\\s+.*$', replace: "UMASK\\t\\t027"}
    - copy: {dest: /etc/app.ini, content: "[other]\\na = 1\\n", force: no}
    - ini_file: {path: /etc/app.ini, section: main, option: level, value: "3", mode: "0640", group: crew}
    - template: {src: app.conf.j2, dest: /etc/app.conf, owner: anna, mode: "u=rw,g=r,o="}
    - cron: {name: nightly, user: anna, minute: "5", hour: "3", job: "/usr/bin/true"}
    - cron: {name: PATH, env: yes, user: anna, job: "/usr/bin:/bin"}
    - sysctl: {name: net.ipv4.conf.all.log_martians, value: "1", sysctl_file: /etc/sysctl.d/50-crew.conf, sysctl_set: yes}
    - apt: {name: [hello, jq], state: present}
    - apt: {name: less, state: absent, purge: yes}
    - apt: {name: []}
    - file: {path: "{{ item }}", state: directory, mode: "0750", owner: bert}
      with_items: [/srv/app, /srv/app/data]
    - file: {path: /srv/current, src: /srv/app, state: link}
    - file: {path: ~/notes, state: directory}
    - unarchive: {src: files.tar.gz, dest: /srv/app/data, owner: bert}
    - copy:
        dest: /etc/systemd/system/napper.service
        content: |
          [Service]
          ExecStart=/bin/sleep infinity
          [Install]
          WantedBy=multi-user.target
    - systemd: {name: napper, enabled: yes, state: started, daemon_reload: yes}
    - service_facts:
    - package_facts:
    - getent: {database: group, key: crew}
    - find: {paths: /etc/ssh, patterns: "*_config", file_type: file}
      register: configs
    - copy:
        dest: /root/seen
        content: >-
          {{ services['napper.service'].state }} {{ 'hello' in packages }} {{ getent_group.crew[1] }}
          {{ configs.files | map(attribute='path') | sort | join(',') }}
    - command: touch /root/once
      args: {creates: /root/once}
    - ufw: {state: enabled}
      when: ansible_distribution == 'Ubuntu'
    - block:
        - command: "false"
      rescue:
        - shell: echo rescued > /root/rescued
          args: {creates: /root/rescued}
  handlers:
    - name: restart ssh
      service: {name: ssh, state: restarted}
`;
const template = `# {{ ansible_managed }}
{% for person in people %}
{{ person.name }} = {{ person.groups | join(' ') }}
{% endfor %}
{% if ansible_os_family == 'Debian' %}
family = {{ ansible_distribution | lower }}{{ ansible_distribution_major_version }}
{% endif %}

{{ greeting }}
`;

/** What a host is like: files with modes, owners and digests, packages, accounts, units, settings. Without what is another one in every life. */
const look = `cd /
find etc usr/local opt home root srv var/spool -xdev \\( -path srv/tsplay-repo -o -path '*/.ansible' -o -path 'home/admin' -o -path etc/machine-id \\
  -o -path etc/ld.so.cache -o -path 'etc/*-' -o -path etc/.pwd.lock -o -path 'var/spool/rsyslog' \\) -prune -o -printf '%y %m %u:%g %p %l\\n' | sort
find etc usr/local opt home root srv -xdev \\( -path srv/tsplay-repo -o -path '*/.ansible' -o -path 'home/admin' -o -path etc/machine-id -o -path etc/ld.so.cache \\
  -o -path 'etc/*-' \\) -prune -o -type f -exec sha256sum {} + | sort -k2
crontab -l -u anna
dpkg-query -W -f '\${Package} \${Version} \${db:Status-Abbrev}\\n'
systemctl list-unit-files --no-legend --no-pager | grep -v transient; systemctl is-active napper ssh cron
cat /proc/sys/net/ipv4/conf/all/log_martians`;

async function reset(): Promise<void> {
  const {exit, stderr} = await runHere(['bash', 'lab/lab.sh', 'reset', host]);
  if (exit !== 0) throw new Error(stderr);
  await runIn(host, ['systemctl', 'is-system-running', '--wait']);
}

async function lookAt(): Promise<readonly string[]> {
  const {stdout} = await runIn(host, ['sh', '-c', look]);
  return stdout.split('\n');
}

const judged = labMissing === undefined && hasAnsible() ? test.serial : test.serial.skip;

judged('the same playbook leaves the same machine behind', async (t) => {
  const folder = await mkdtemp(path.join(tmpdir(), 'tsplay-compare-'));
  t.teardown(() => rm(folder, {recursive: true, force: true}));
  const write = (name: string, text: string): Promise<void> => writeFile(path.join(folder, name), text);
  await mkdir(path.join(folder, 'templates'));
  await mkdir(path.join(folder, 'files', 'tree', 'deep'), {recursive: true});
  await write('site.yml', playbook);
  await write('templates/app.conf.j2', template);
  await write('files/tree/one', 'one\n');
  await write('files/tree/deep/two', 'two\n');
  execFileSync('tar', [
    '-C',
    path.join(folder, 'files', 'tree'),
    '-czf',
    path.join(folder, 'files', 'files.tar.gz'),
    'one',
    'deep',
  ]);
  const key = path.join(labFolder, 'id');
  await write('hosts', `${host} ansible_host=${address} ansible_user=admin ansible_ssh_private_key_file=${key}\n`);

  await reset();
  execFileSync('ansible-playbook', ['-i', 'hosts', 'site.yml'], {
    cwd: folder,
    stdio: 'pipe',
    encoding: 'utf8',
    env: {
      PATH: '/usr/sbin:/usr/bin:/sbin:/bin',
      HOME: folder,
      LC_ALL: 'C.UTF-8',
      ANSIBLE_HOST_KEY_CHECKING: 'False',
      ANSIBLE_PIPELINING: '1',
    },
  });
  const theirs = await lookAt();

  await reset();
  const run = (mode: string) =>
    tsplay([mode, path.join(folder, 'site.yml'), '-i', path.join(folder, 'hosts'), '--output', 'json'], {
      TSPLAY_STATE: path.join(folder, 'state'),
      TSPLAY_KNOWN_HOSTS: path.join(labFolder, 'known_hosts'),
    });
  const first = await run('run');
  t.is(first.report.hosts[host]?.failed, 0, troubles(first));
  t.deepEqual(
    first.report.problems.filter((p) => p.code === 'unknown-module').map((p) => p.severity),
    ['warning'],
    'a module that we have not is named',
  );
  const ours = await lookAt();
  t.deepEqual(
    ours.filter((line) => !theirs.includes(line)),
    [],
    'what only we left behind',
  );
  t.deepEqual(
    theirs.filter((line) => !ours.includes(line)),
    [],
    'what only Ansible left behind',
  );
  const second = await run('run');
  // the command of the block fails in every run, for its rescue's sake
  t.deepEqual(
    second.report.tasks.filter((task) => task.status === 'changed').map((task) => task.task),
    [],
    troubles(second),
  );
});
