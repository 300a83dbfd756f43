import {existsSync, mkdirSync, readdirSync, writeFileSync} from 'node:fs';
import {dirname, join, relative} from 'node:path';
import {exitStatus} from './exit-status.ts';

const files: Readonly<Record<string, string>> = {
  'tsplay.yml': `# Settings of this site; \`tsplay run --help\` names the options that they stand for.
inventory: inventory/
`,
  'inventory/hosts.yml': `# Hosts and groups. Add a machine that you reach by ssh:
#   web:
#     hosts:
#       web1: {ansible_host: 192.0.2.10, ansible_user: admin, ansible_become: true}
all:
  hosts:
    localhost: {ansible_connection: local}
`,
  'inventory/group_vars/all.yml': `# Variables of all hosts. \`tsplay inventory --host localhost\` shows where each value comes from.
greeting: Good morning
`,
  'site.yml': `# What shall be. \`tsplay check site.yml\` shows what differs, \`tsplay run site.yml\` changes it.
- name: A first playbook
  hosts: all
  vars:
    folder: "{{ playbook_dir }}/managed"
  tasks:
    - name: A folder to play with
      file:
        path: "{{ folder }}"
        state: directory
        mode: "0755"

    - name: A file from a template
      template:
        src: welcome.j2
        dest: "{{ folder }}/welcome.txt"
        mode: "0644"
      notify: Say so

    - name: One line in a file
      lineinfile:
        path: "{{ folder }}/settings.conf"
        regexp: ^colour =
        line: colour = green
        create: true
        mode: "0644"

  handlers:
    - name: Say so
      debug:
        msg: "{{ folder }}/welcome.txt has changed"
`,
  'templates/welcome.j2': `{{ greeting }}, this is {{ inventory_hostname }}.
It runs {{ ansible_distribution }} {{ ansible_distribution_version }}.
`,
  '.gitignore': `managed/
`,
  'README.md': `# A tsplay site

    tsplay check site.yml         what differs (exit status 8 if anything does)
    tsplay run site.yml           make it so; a second run changes nothing
    tsplay inventory --graph      hosts and groups
    tsplay doc                    modules, and \`tsplay doc copy\` for one of them

It manages this machine only, and there only the folder \`managed/\`. Add hosts in \`inventory/hosts.yml\`.
Editors complete playbooks by \`tsplay schema playbook\` and inventories by \`tsplay schema inventory\`.
`,
};

/** `tsplay init DIR`: a small site that runs at once, on this machine. Nothing that is there is overwritten. */
export function initCommand(folder: string): void {
  if (existsSync(folder) && readdirSync(folder).some((name) => !name.startsWith('.git'))) {
    process.stderr.write(`${folder} is not empty; nothing was written\n`);
    process.exitCode = exitStatus.nothingAttempted;
    return;
  }
  for (const [name, text] of Object.entries(files)) {
    const path = join(folder, name);
    mkdirSync(dirname(path), {recursive: true});
    if (!existsSync(path)) writeFileSync(path, text, {flag: 'wx'});
    process.stdout.write(`${relative('.', path)}\n`);
  }
  process.stdout.write(
    `\nTry it:\n  cd ${relative('.', folder) || '.'}\n  tsplay check site.yml\n  tsplay run site.yml\n`,
  );
}
