// A schedule as systemd units or as a line for cron.
import type {Schedule} from './schedule.ts';

/** How the command is started there. */
export type ExportHow = {readonly program: readonly string[]; readonly state: string; readonly user: string};

/** A file to be written. */
export type ExportedFile = {readonly name: string; readonly text: string};

const monthNames = ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec'];
const weekdays = ['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat'];

/**
 * A service and a timer. The service may write its state folder only; connections need the network, keys and known_hosts of its user. *source*: systemd.exec(5),
 * systemd.timer(5).
 */
export function systemdUnits(schedule: Schedule, how: ExportHow): readonly ExportedFile[] {
  const unit = `tsplay-${schedule.name}`;
  const words = [...how.program, ...schedule.command.words].map(systemdWord).join(' ');
  const times = calendarOf(schedule);
  return [
    {
      name: `${unit}.service`,
      text: `[Unit]
Description=tsplay schedule ${schedule.name}
Wants=network-online.target
After=network-online.target

[Service]
Type=oneshot
User=${how.user}
WorkingDirectory=${systemdPath(schedule.site)}
Environment=TSPLAY_STATE=${systemdWord(how.state)}
ExecStart=${words}
# a check that found differences has done its work
SuccessExitStatus=8
TimeoutStopSec=90
# LoadCredential=vault-password:/etc/tsplay/vault-password
NoNewPrivileges=yes
ProtectSystem=strict
ProtectHome=read-only
ReadWritePaths=-${systemdPath(how.state)}
PrivateTmp=yes
PrivateDevices=yes
ProtectClock=yes
ProtectControlGroups=yes
ProtectHostname=yes
ProtectKernelLogs=yes
ProtectKernelModules=yes
ProtectKernelTunables=yes
RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6
RestrictNamespaces=yes
RestrictRealtime=yes
RestrictSUIDSGID=yes
LockPersonality=yes
SystemCallArchitectures=native
CapabilityBoundingSet=
UMask=0077
`,
    },
    {
      name: `${unit}.timer`,
      text: `[Unit]
Description=Times of tsplay schedule ${schedule.name} (${schedule.cron} ${schedule.timezone})

[Timer]
${times.map((time) => `OnCalendar=${time}`).join('\n')}
# one run for all that were missed
Persistent=true
RandomizedDelaySec=${Math.round(schedule.jitterMs / 1000)}
FixedRandomDelay=yes
AccuracySec=1s

[Install]
WantedBy=timers.target
`,
    },
  ];
}

/** A line of /etc/cron.d. Cron knows no window, and no jitter. */
export function cronLine(schedule: Schedule, how: ExportHow): string {
  const words = [...how.program, ...schedule.command.words].map(quote).join(' ');
  const command = `cd ${quote(schedule.site)} && TSPLAY_STATE=${quote(how.state)} ${words}`;
  // cron turns % into line ends
  return `# tsplay schedule ${schedule.name}\nCRON_TZ=${schedule.timezone}\n${schedule.cron} ${how.user} ${command.replaceAll('%', '\\%')}\n`;
}

/** The times of a cron expression in systemd's words; where both a day of the month and of the week are named, cron means either. */
export function calendarOf({cron, timezone}: Pick<Schedule, 'cron' | 'timezone'>): readonly string[] {
  const [minutes, hours, days, months, daysOfWeek] = cron.trim().split(/\s+/);
  const minute = expand(minutes, 0, 59);
  const hour = expand(hours, 0, 23);
  const day = expand(days, 1, 31);
  const month = expand(months, 1, 12, monthNames);
  const weekday =
    daysOfWeek === undefined || daysOfWeek === '*' || daysOfWeek === '?' ? undefined : weekdayOf(daysOfWeek);
  const time = (of: string, prefix: string): string => `${prefix}*-${month}-${of} ${hour}:${minute}:00 ${timezone}`;
  if (weekday === undefined) return [time(day, '')];
  if (day === '*') return [time('*', `${weekday} `)];
  return [time(day, ''), time('*', `${weekday} `)];
}

function weekdayOf(text: string): string {
  const numbers = expand(
    text.replaceAll('7', '0'),
    0,
    6,
    weekdays.map((name) => name.toLowerCase()),
  );
  return numbers === '*'
    ? 'Mon..Sun'
    : numbers
        .split(',')
        .map((number) => weekdays[Number(number)])
        .join(',');
}

/** A field of cron as a list of numbers. */
function expand(field = '*', low: number, high: number, names: readonly string[] = []): string {
  if (field === '*' || field === '?') return '*';
  const found = new Set<number>();
  const number = (text: string): number => {
    const at = names.indexOf(text.toLowerCase());
    return at >= 0 ? at + (low === 1 && names.length === 12 ? 1 : 0) : Number(text);
  };
  for (const part of field.split(',')) {
    const [range = '*', step = '1'] = part.split('/');
    const [from = '', to] = range === '*' ? [String(low), String(high)] : range.split('-');
    const last = to === undefined ? (part.includes('/') ? high : number(from)) : number(to);
    for (let i = number(from); i <= last; i += Number(step)) found.add(i);
  }
  return [...found].sort((a, b) => a - b).join(',');
}

function systemdWord(word: string): string {
  const escaped = word.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('%', '%%').replaceAll('$', '$$$$');
  return /^[A-Za-z0-9_./:=@,+%-]+$/.test(escaped) ? escaped : `"${escaped}"`;
}

function systemdPath(path: string): string {
  return path.replaceAll('%', '%%');
}

/** A word of a shell's command line. */
function quote(word: string): string {
  return /^[A-Za-z0-9_./:=@,+-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}
