import {Option, type Command} from 'commander';

/** An option that may be given several times. */
export function collect(value: string, earlier: string[] | undefined): string[] {
  return [...(earlier ?? []), value];
}

/** Where vault passwords come from. */
export function vaultOptions(command: Command): Command {
  return command
    .option('--vault-password-file <file>', 'file (or executable) with the vault password', collect)
    .option('--vault-id <id@source>', 'vault password by id: label@file, label@prompt', collect)
    .option('--ask-vault-pass', 'ask for the vault password');
}

/** Which hosts, and which variables. */
export function inventoryOptions(command: Command): Command {
  return vaultOptions(command)
    .option(
      '-i, --inventory <source>',
      'inventory file, folder, script or comma-separated hosts (repeatable; default inventory/)',
      collect,
    )
    .option('-l, --limit <pattern>', 'only these hosts')
    .option('--refresh-inventory', 'ask inventories that are programs anew, whatever is kept of them')
    .option('-e, --extra-vars <vars>', 'key=value, @file or JSON (repeatable)', collect)
    .option('--no-color', 'no colours');
}

/** How hosts are reached, with Ansible's letters. */
export function connectionOptions(command: Command): Command {
  return inventoryOptions(command)
    .option('-f, --forks <n>', 'hosts at a time (50)')
    .option('-u, --user <name>', 'login user')
    .option('--private-key <file>', 'key to log in with')
    .option('-b, --become', 'become another user (default root)')
    .option('--become-user <name>', 'which user to become')
    .option('--become-method <method>', 'sudo, su or doas')
    .option('-K, --ask-become-pass', 'ask for the become password')
    .option('-k, --ask-pass', 'ask for the login password')
    .option('-c, --connection <transport>', 'ssh, openssh or local')
    .option('--accept-new-host-keys', 'take the keys of unknown hosts into known_hosts')
    .option('--timeout <s>', 'seconds without any answer until a host counts as unreachable (15)');
}

/** How results are told. */
export function outputOptions(command: Command): Command {
  return command
    .option('-v, --verbose', 'more: -v tasks, -vv exchanges, -vvv scripts', (_value, total: number) => total + 1, 0)
    .addOption(new Option('--output <form>', 'pretty, plain or json').choices(['pretty', 'plain', 'json']));
}

/** Where reports go, for commands that judge hosts. */
export function reportOptions(command: Command): Command {
  return command
    .option('--report <form=file>', 'write a report: html, junit, json, sarif or md (repeatable)', collect)
    .option(
      '--waivers <file>',
      'who answers for which control failing where, until when (repeatable; default waivers.yml of the site and beside the playbook)',
      collect,
    );
}

/** Options of run, check and plan. */
export function playbookOptions(command: Command): Command {
  return outputOptions(connectionOptions(command))
    .option('-t, --tags <tags>', 'only tasks with these tags', collect)
    .option('--skip-tags <tags>', 'no tasks with these tags', collect)
    .option('--diff', 'show diffs (default on a terminal)')
    .option('--no-diff', 'no diffs')
    .option('--start-at-task <name>', 'begin with this task')
    .option('--step', 'ask before each task')
    .option('--resume [run]', 'only hosts that an earlier run (default: the last of these playbooks) did not finish')
    .option('--profile', 'say where the time went')
    .option('--force-handlers', 'run notified handlers also on hosts that failed')
    .option('--list-hosts', 'only list the hosts')
    .option('--list-tasks', 'only list the tasks')
    .option('--list-tags', 'only list the tags')
    .option('--syntax-check', 'only validate')
    .option('--steal', 'take a lock over, whoever holds it')
    .option('--lock-timeout <s>', 'seconds to wait for a host that another run works on (60; 0 = do not wait)')
    .option('--metrics <file>', "leave the run's numbers for node-exporter's textfile collector")
    .option('--events <file>', 'write events as JSON lines as they happen');
}
