import {Option, type Command} from 'commander';
import {collect} from './options.ts';

type Options = Readonly<Record<string, unknown>>;

/** Where schedules are kept. */
function databaseOptions(command: Command): Command {
  return command
    .option('--database <url>', 'PostgreSQL for several controllers, without a password in it (default: embedded)')
    .option('--database-file <file>', 'a file with the URL, password and all');
}

/** The commands of scheduled convergence. */
export function addScheduleCommands(tsplay: Command): void {
  for (const [kind, does] of [
    ['service', 'scheduled convergence: runs what is due, and shows it; until it is stopped'],
    ['worker', 'adds this machine to the services of a PostgreSQL database: works on hosts, watches no clock'],
  ] as const)
    databaseOptions(tsplay.command(kind).description(does))
      .option('--port <n>', kind === 'service' ? 'HTTP on 127.0.0.1 (9477; 0 = none)' : 'HTTP on 127.0.0.1 (none)')
      .option('--parallel <n>', 'runs at a time (4)')
      .option('--grace <s>', 'seconds that a stop waits for operations under way (60)')
      .action(async (options: Options) => (await import('./service-command.ts')).serviceCommand(kind, options));
  const schedule = tsplay.command('schedule').description('what the service runs, and when');
  databaseOptions(schedule.command('add'))
    .description('run a command at certain times')
    .usage("[options] NAME --cron '…' -- check|run PLAYBOOK...")
    .argument('<name>')
    .argument('<command...>', 'check or run, with its playbooks and options, as by hand')
    .requiredOption('--cron <expression>', 'minute hour day month weekday')
    .option('--timezone <zone>', "whose time the expression means (this machine's)")
    .option('--jitter <time>', 'spread the hosts over so long: 90s, 10m, 1h')
    .option('--window <times>', 'begin only then: "22:00-06:00", "Mon-Fri 22:00-06:00"')
    .addOption(
      new Option('--approve <who>', 'no, or manual: what differs waits as a saved plan').choices(['no', 'manual']),
    )
    .option('--retries <n>', 'further tries for hosts that failed or were unreachable (2)')
    .option('--together', 'all hosts in one run of one controller')
    .option('--webhook <url>', 'told when the state of a host changes (repeatable)', collect)
    .option('--webhook-secret-file <file>', 'with what the webhooks are signed')
    .option('--notify-command <command>', 'gets the same as JSON on its stdin (repeatable)', collect)
    .option('--mail <address>', 'told by mail, through sendmail (repeatable)', collect)
    .option('--replace', 'in the place of a schedule of the same name')
    .addHelpText('after', "\nExample: tsplay schedule add nightly --cron '0 3 * * *' -- check site.yml -l web")
    .action(async (name: string, words: string[], options: Options) =>
      (await import('./schedule-add.ts')).scheduleAdd(name, words, options),
    );
  databaseOptions(schedule.command('list'))
    .description('schedules with their next run, last run and states; controllers; queue')
    .addOption(new Option('--output <form>', 'plain or json').choices(['pretty', 'plain', 'json']))
    .action(async (options: Options) => (await import('./schedule-command.ts')).scheduleList(options));
  for (const [verb, does] of [
    ['remove', 'forget a schedule and the states of its hosts'],
    ['run', 'run it now, beside its times'],
    ['pause', 'let its times pass'],
    ['resume', 'go on from now'],
  ] as const)
    databaseOptions(schedule.command(verb).description(does).argument('<name>')).action(
      async (name: string, options: Options) => (await import('./schedule-command.ts')).scheduleDo(verb, name, options),
    );
  databaseOptions(schedule.command('plans'))
    .description('saved plans that wait for approval')
    .action(async (options: Options) => (await import('./schedule-command.ts')).schedulePlans(options));
  for (const [verb, does] of [
    ['approve', 'apply a plan that waits'],
    ['reject', 'let it lie'],
  ] as const)
    databaseOptions(schedule.command(verb).description(does).argument('<plan>', 'its id, or the schedule')).action(
      async (plan: string, options: Options) =>
        (await import('./schedule-command.ts')).scheduleDecide(verb, plan, options),
    );
  databaseOptions(schedule.command('export'))
    .description('for a machine without the service: systemd units, or lines for cron')
    .argument('<form>', 'systemd or cron')
    .argument('[name]', 'one schedule (all)')
    .option('--out <folder>', 'write the files there instead of printing them')
    .option('--user <name>', 'the account that runs them (root)')
    .action(async (form: string, name: string | undefined, options: Options) =>
      (await import('./schedule-export.ts')).scheduleExport(form, name, options),
    );
}
