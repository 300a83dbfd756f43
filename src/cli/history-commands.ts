import {Option, type Command} from 'commander';

type Options = Readonly<Record<string, unknown>>;

const outputOption = (): Option =>
  new Option('--output <form>', 'pretty, plain or json').choices(['pretty', 'plain', 'json']);

/** What was run, and putting it back. */
export function addHistoryCommands(tsplay: Command): void {
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
}
