import type {Command} from 'commander';
import {Option} from 'commander';
import {connectionOptions, outputOptions} from './options.ts';

type Options = Readonly<Record<string, unknown>>;

/** The commands that work on hosts without a playbook. */
export function addHostCommands(tsplay: Command): void {
  outputOptions(connectionOptions(tsplay.command('exec')))
    .description('run one command on many hosts; equal output is shown once')
    .usage('[options] PATTERN -- COMMAND...')
    .argument('<pattern>', 'hosts, as in a play')
    .argument('<command...>', 'one word is shell text, several are a command with its arguments')
    .option('--chdir <folder>', 'run it there')
    .option('--command-timeout <s>', 'seconds after which the command is ended (600)')
    .addHelpText('after', "\nExample: tsplay exec web -- 'systemctl is-active nginx'")
    .action(async (pattern: string, words: string[], options: Options) =>
      (await import('./exec-command.ts')).execCommand(pattern, words, options),
    );
  connectionOptions(tsplay.command('facts'))
    .description('facts of hosts as JSON, under the names that playbooks use')
    .argument('<pattern>', 'hosts, as in a play')
    .option('--filter <pattern>', "only facts of this name, such as 'distribution*'")
    .action(async (pattern: string, options: Options) =>
      (await import('./facts-command.ts')).factsCommand(pattern, options),
    );
  const hostkeys = tsplay.command('hostkeys').description('host keys: what known_hosts knows, and greeting new hosts');
  for (const [verb, does] of [
    ['scan', 'greet hosts whose keys are not known, show them, take them over on demand'],
    ['list', 'known keys of the hosts, with file and line'],
  ] as const)
    connectionOptions(hostkeys.command(verb).description(does).argument('[pattern]', 'hosts (all)'))
      .addOption(new Option('--output <form>', 'pretty, plain or json').choices(['pretty', 'plain', 'json']))
      .action(async (pattern: string | undefined, options: Options) =>
        (await import('./hostkeys-command.ts')).hostkeysCommand(verb, pattern, options),
      );
}
