import type {Command} from 'commander';
import {connectionOptions, outputOptions, playbookOptions, reportOptions, vaultOptions} from './options.ts';

/** The commands on saved plans. */
export function addPlanCommands(tsplay: Command, argv: readonly string[]): void {
  reportOptions(
    playbookOptions(
      tsplay
        .command('plan')
        .description('what would change, as a file that can be looked at and applied exactly')
        .argument('<playbook...>'),
    ),
  )
    .option('-o, --out <file>', 'write the plan there')
    .action(async (playbooks: string[], options: Record<string, unknown>) =>
      (await import('./run-command.ts')).runCommand('plan', playbooks, options, argv),
    );
  outputOptions(vaultOptions(tsplay.command('show').description('what a saved plan does').argument('<file>')))
    .option('--no-diff', 'no diffs')
    .option('--no-color', 'no colours')
    .action(async (file: string, options: Record<string, unknown>) =>
      (await import('./show-command.ts')).showCommand(file, options),
    );
  reportOptions(
    outputOptions(
      connectionOptions(
        tsplay
          .command('apply')
          .description('do exactly what a saved plan says; a host that has moved on is refused')
          .argument('<file>'),
      ),
    ),
  )
    .option('--exact', 'do nothing that was left to be decided when applying')
    .option('--diff', 'show diffs (default on a terminal)')
    .option('--no-diff', 'no diffs')
    .option('--profile', 'say where the time went')
    .option('--steal', 'take a lock over, whoever holds it')
    .option('--lock-timeout <s>', 'seconds to wait for a host that another run works on (60; 0 = do not wait)')
    .option('--events <file>', 'write events as JSON lines as they happen')
    .action(async (file: string, options: Record<string, unknown>) =>
      (await import('./apply-command.ts')).applyCommand(file, options, argv),
    );
}
