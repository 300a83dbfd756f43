import {Option, type Command} from 'commander';
import {connectionOptions, outputOptions} from './options.ts';

type Options = Readonly<Record<string, unknown>>;

const outputOption = (): Option =>
  new Option('--output <form>', 'pretty, plain or json').choices(['pretty', 'plain', 'json']);

/** What was run, and putting it back. */
export function addHistoryCommands(tsplay: Command, argv: readonly string[]): void {
  const history = tsplay.command('history').description('past runs: who ran what, where, with which result');
  history
    .command('list', {isDefault: true})
    .description('runs, the newest first')
    .option('--host <name>', 'that came to this host')
    .option('--playbook <file>', 'of this playbook')
    .option('--since <time>', 'ISO 8601, or 30m, 12h, 7d, 2w ago')
    .option('--status <state>', 'running, ok, changed (differs), failed, unreachable, interrupted, cut-off or refused')
    .option('--limit <n>', 'at most so many (50)')
    .option('--no-color', 'no colours')
    .addOption(outputOption())
    .action(async (options: Options) => (await import('./history-command.ts')).historyList(options));
  history
    .command('show')
    .description('one run with its diffs')
    .argument('<run>', 'its id, the beginning or end of it, last, or last~N')
    .option('--all', 'tasks that changed nothing too')
    .option('--no-color', 'no colours')
    .addOption(outputOption())
    .action(async (run: string, options: Options) => (await import('./history-command.ts')).historyShow(run, options));
  history
    .command('compare')
    .description('what differs newly in B, what is fixed since A, what is still the same')
    .argument('<a>', 'the earlier run')
    .argument('<b>', 'the later run')
    .option('--no-color', 'no colours')
    .addOption(outputOption())
    .action(async (a: string, b: string, options: Options) =>
      (await import('./history-command.ts')).historyCompare(a, b, options),
    );
  history
    .command('verify')
    .description('whether all records are as they were written; exit status 2 if not')
    .option('--head <hash>', 'a head that an earlier verify printed: must still be in the chain')
    .option('--no-color', 'no colours')
    .addOption(outputOption())
    .action(async (options: Options) => (await import('./history-command.ts')).historyVerify(options));
  history
    .command('prune')
    .description('remove old runs (what the settings say: history_runs, history_days, history_mib)')
    .option('--keep <runs>', 'keep the newest so many')
    .option('--days <n>', 'keep those of the last so many days')
    .option('--size <mib>', 'keep so many MiB')
    .option('--dry-run', 'only say what would be removed')
    .addOption(outputOption())
    .action(async (options: Options) => (await import('./history-command.ts')).historyPrune(options));
  outputOptions(connectionOptions(tsplay.command('rollback')))
    .description('put back what a run has replaced: files, folders, links, modes, owners, units')
    .argument('<run>', 'its id, the beginning or end of it, last, or last~N')
    .option('--check', 'change nothing, show what would be put back')
    .option('--diff', 'show diffs (default on a terminal)')
    .option('--no-diff', 'no diffs')
    .option('--steal', 'take a lock over, whoever holds it')
    .option('--lock-timeout <s>', 'seconds to wait for a host that another run works on (60; 0 = do not wait)')
    .option('--events <file>', 'write events as JSON lines as they happen')
    .action(async (run: string, options: Options) =>
      (await import('./rollback-command.ts')).rollbackCommand(run, options, argv),
    );
}
