import {Command, CommanderError} from 'commander';
import {exitStatus} from './exit-status.ts';
import {addHistoryCommands} from './history-commands.ts';
import {addHostCommands} from './host-commands.ts';
import {addPlanCommands} from './plan-commands.ts';
import {addScheduleCommands} from './schedule-commands.ts';
import {addSiteCommands} from './site-commands.ts';
import {inventoryOptions, playbookOptions, reportOptions, vaultOptions} from './options.ts';
import {version} from './version.ts';

/**
 * The command line. Every command's code is imported when it is chosen, so that `--help` loads nothing but this.
 * Sets `process.exitCode`; *errors*: a fault of tsplay itself is printed with its stack and gives 70.
 */
export async function program(argv: readonly string[]): Promise<void> {
  const tsplay = new Command('tsplay')
    .description('Declarative playbooks over SSH: see exactly what differs, change only that')
    .version(version(), '--version')
    .exitOverride()
    .configureOutput({writeErr: (text) => process.stderr.write(text)})
    .showSuggestionAfterError(true)
    .addHelpText(
      'after',
      '\nExit status: 0 as declared; 1 nothing attempted; else the sum of 2 (failed), 4 (unreachable), 8 (check found differences).\nManual of a module: tsplay doc MODULE. All documentation: docs/ in the package.',
    );

  reportOptions(
    playbookOptions(
      tsplay.command('run').description('converge hosts to what playbooks declare').argument('<playbook...>'),
    ),
  )
    .option('--check', 'change nothing, show what would change')
    .action(async (playbooks: string[], options: Record<string, unknown>) =>
      (await import('./run-command.ts')).runCommand('run', playbooks, options, argv),
    );
  reportOptions(
    playbookOptions(
      tsplay
        .command('check')
        .description('compliance: what differs from the declaration; changes nothing')
        .argument('<playbook...>'),
    ),
  ).action(async (playbooks: string[], options: Record<string, unknown>) =>
    (await import('./run-command.ts')).runCommand('check', playbooks, options, argv),
  );
  addPlanCommands(tsplay, argv);
  playbookOptions(
    tsplay
      .command('validate')
      .description('everything that can be known without a connection')
      .argument('<playbook...>'),
  )
    .option(
      '--fix',
      'quote modes and write true/false for yes/no where there is one meaning, and show what was changed',
    )
    .action(async (playbooks: string[], options: Record<string, unknown>) =>
      (await import('./run-command.ts')).runCommand('validate', playbooks, options, argv),
    );
  tsplay
    .command('doc')
    .description("a module's manual, or the list of modules")
    .argument('[module]')
    .action(async (name: string | undefined) => (await import('./doc-command.ts')).docCommand(name));
  inventoryOptions(
    tsplay.command('inventory').description('hosts and groups, or the variables of one host with their origins'),
  )
    .option('--list', 'all hosts and variables as JSON')
    .option('--graph', 'groups as a tree')
    .option('--host <name>', 'variables of one host, with file:line')
    .action(async (options: Record<string, unknown>) =>
      (await import('./inventory-command.ts')).inventoryCommand(options),
    );
  addHostCommands(tsplay);
  addHistoryCommands(tsplay, argv);
  addScheduleCommands(tsplay);
  addSiteCommands(tsplay);
  const vault = tsplay.command('vault').description("secrets in Ansible's vault format");
  for (const [name, does] of [
    ['encrypt', 'encrypt files in place'],
    ['decrypt', 'decrypt files in place'],
    ['view', 'print decrypted content'],
    ['edit', 'edit the decrypted content with $EDITOR'],
    ['rekey', 'change the password of files'],
    ['encrypt-string', 'encrypt one value, for pasting into YAML'],
  ] as const) {
    vaultOptions(
      vault
        .command(name)
        .description(does)
        .argument(name === 'encrypt-string' ? '[string]' : '<file...>'),
    )
      .option('--name <name>', 'name of the variable (encrypt-string)')
      .option('--new-vault-password-file <file>', 'the new password (rekey)')
      .option('--output <file>', 'write there instead of in place (- = stdout)')
      .action(async (files: string | string[] | undefined, options: Record<string, unknown>) =>
        (await import('./vault-command.ts')).vaultCommand(
          name,
          typeof files === 'string' ? [files] : (files ?? []),
          options,
        ),
      );
  }
  try {
    await tsplay.parseAsync([...argv], {from: 'user'});
  } catch (error) {
    if (error instanceof CommanderError) {
      process.exitCode = error.exitCode === 0 ? 0 : exitStatus.nothingAttempted;
      return;
    }
    const {reportFault} = await import('./fault.ts');
    reportFault(error);
  }
}
