import {
  all,
  change,
  defineModule,
  file,
  followed,
  p,
  presentText,
  refuse,
  rewrite,
  type Change,
  type Op,
  type Plan,
} from '#kit';

const zones = '/usr/share/zoneinfo';

/** The zone that a link's text names. */
function zoneOf(target: string): string {
  return target.replace(/^(\.\.)?\/usr\/share\/zoneinfo\//, '');
}

/** The host's time zone, by the link that every program follows, and Debian's text beside it. *source*: Ansible's timezone; localtime(5). */
export default defineModule({
  name: 'timezone',
  summary: "The host's time zone",
  params: {
    name: p.string('the zone, such as Europe/Berlin', {
      required: true,
      pattern: '^[A-Za-z0-9_+-]+(/[A-Za-z0-9_+-]+)*$',
      describe: 'a zone such as Europe/Berlin',
    }),
    hwclock: p.choice(['local', 'UTC'], 'not supported: the hardware clock is `command: timedatectl set-local-rtc`', {
      aliases: ['rtc'],
    }),
  },
  examples: ['- timezone:\n    name: Europe/Berlin\n'],
  check: (v) =>
    v.hwclock === undefined
      ? []
      : [
          {
            code: 'unsupported',
            message: '`hwclock` is not supported',
            param: '/hwclock',
            help: '`command: timedatectl set-local-rtc 0`',
          },
        ],
  probe: (v) =>
    all({
      link: file('/etc/localtime'),
      text: file('/etc/timezone', {content: 'always'}),
      zone: file(`${zones}/${v.name}`),
    }),
  plan: (v, {link, text, zone}): Plan => {
    if (followed(zone).type !== 'file')
      return refuse('no-zone', `there is no time zone ${v.name} in ${zones} on this host`, {
        help: 'correct the name, or install `tzdata`',
      });
    const changes: Change[] = [];
    const ops: Op[] = [];
    // relative, as timedatectl links it
    const target = `..${zones}/${v.name}`;
    if (link.type === 'directory') return refuse('is-directory', '/etc/localtime is a directory');
    if (link.type !== 'link' || zoneOf(link.target) !== v.name) {
      const before = link.type === 'link' ? zoneOf(link.target) : link.type === 'absent' ? undefined : '(a file)';
      changes.push({what: 'time zone', before, after: v.name});
      ops.push({op: 'link', path: '/etc/localtime', target, ...(link.type === 'absent' ? {} : {replace: true})});
    }
    if (text.type !== 'absent') {
      const present = presentText('/etc/timezone', text);
      if ('kind' in present) return present;
      if (present.text?.trim() !== v.name) {
        changes.push({what: '/etc/timezone', before: present.text?.trim(), after: v.name});
        ops.push(rewrite('/etc/timezone', present, `${v.name}\n`, {mode: '0644', owner: 'root', group: 'root'}));
      }
    }
    return change(changes, ops);
  },
});
