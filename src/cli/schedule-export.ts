// `tsplay schedule export`: the same schedules for a machine where no service runs: systemd's timers or cron start the command.
import {mkdirSync, writeFileSync} from 'node:fs';
import {basename, join, resolve} from 'node:path';
import {error} from '../base/diagnostic.ts';
import {cronLine, systemdUnits} from '../converge/export-units.ts';
import {ask, ownStateFolder, refused} from './at-desk.ts';

type Options = Readonly<Record<string, unknown>>;

/** Prints units or lines, or writes them into a folder. */
export async function scheduleExport(form: string, name: string | undefined, options: Options): Promise<void> {
  if (form !== 'systemd' && form !== 'cron') {
    refused(error('export-form', `"${form}" is no form of export`, {help: 'systemd or cron'}));
    return;
  }
  const found = await ask(options, {do: 'overview'});
  if (found === undefined) return;
  const schedules = found.value.schedules.filter((each) => name === undefined || each.name === name);
  if (name !== undefined && schedules.length === 0) {
    refused(error('schedule', `there is no schedule "${name}"`));
    return;
  }
  const program = [process.execPath, resolve(process.argv[1] ?? 'tsplay')];
  const how = {
    program: basename(program[1] ?? '').startsWith('main.') ? [process.execPath, binOf(program[1]!)] : program,
    state: ownStateFolder(),
    user: String(options['user'] ?? 'root'),
  };
  const files =
    form === 'systemd'
      ? schedules.flatMap((schedule) => systemdUnits(schedule, how))
      : [{name: 'tsplay', text: schedules.map((schedule) => cronLine(schedule, how)).join('')}];
  if (options['out'] === undefined) {
    process.stdout.write(
      files.map((file) => (form === 'cron' ? file.text : `# ${file.name}\n${file.text}\n`)).join(''),
    );
    return;
  }
  const folder = resolve(String(options['out']));
  mkdirSync(folder, {recursive: true});
  for (const file of files) {
    writeFileSync(join(folder, file.name), file.text, {mode: 0o644});
    process.stdout.write(`${join(folder, file.name)}\n`);
  }
}

/** The command as users start it, where this is the program behind it. */
function binOf(main: string): string {
  return resolve(main.replace(/(dist\/)?src\/cli\/main\.[jt]s$/, ''), 'bin', 'tsplay.js');
}
