import {converged, defineModule, p, read, refuse, sh, stdoutText, type Json} from '#kit';

const databases = [
  'passwd',
  'group',
  'shadow',
  'gshadow',
  'hosts',
  'ahosts',
  'services',
  'protocols',
  'networks',
  'netgroup',
];

/** Entries of a name service database, as a fact. *source*: getent(1), Ansible's getent. */
export default defineModule({
  name: 'getent',
  summary: 'Entries of a name service database, as `ansible_facts.getent_DATABASE`',
  params: {
    database: p.string('passwd, group, shadow, hosts, services, …', {
      required: true,
      pattern: '^[a-z_]+$',
      describe: 'a name',
    }),
    key: p.string('only this entry'),
    service: p.string('ask this service of nsswitch.conf'),
    split: p.string('what separates the fields; a colon for accounts and groups, else white space'),
    fail_key: p.boolean('an entry that is not there is a failure', {default: true}),
  },
  facts: databases.map((name) => `getent_${name}`),
  examples: ['- getent:\n    database: passwd\n    key: root\n'],
  probe: (v) => {
    const service = v.service === undefined || v.service === '' ? [] : ['-s', v.service];
    const key = v.key === undefined ? [] : ['--', v.key];
    return read(
      sh`getent ${service} ${v.database} ${key} 2>/dev/null`,
      (reply) => ({
        exit: reply.exit,
        lines: stdoutText(reply)
          .split('\n')
          .filter((line) => line !== ''),
      }),
      {dependsOn: ['account:*', 'group:*', 'file:/etc/hosts'], secret: /shadow$/.test(v.database)},
    );
  },
  plan: (v, now) => {
    if (now.exit === 0 || (now.exit === 2 && !v.fail_key)) return converged();
    return now.exit === 2
      ? refuse('absent', `${v.database} has no entry ${v.key ?? ''}`, {help: '`fail_key: false` accepts that'})
      : refuse('no-database', `the name service cannot list ${v.database}`);
  },
  result: (v, now) => {
    const entries: Record<string, Json> = {};
    const separator = v.split ?? (/^(?:passwd|shadow|group|gshadow)$/.test(v.database) ? ':' : undefined);
    for (const line of now.lines) {
      const [name = '', ...fields] = separator === undefined ? line.trim().split(/\s+/) : line.split(separator);
      entries[name] = fields;
    }
    if (now.exit === 2 && v.key !== undefined) entries[v.key] = null;
    return {ansible_facts: {[`getent_${v.database}`]: entries}};
  },
});
