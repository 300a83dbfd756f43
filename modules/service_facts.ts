import {converged, defineModule, rawShell, read, stdoutText, type Json} from '#kit';

type Service = {readonly name: string; readonly state: string; readonly status: string; readonly source: string};

/**
 * What runs and what is there to run, `%` before the units that systemd has in memory and `+` before their files; without systemd what the init
 * scripts say. systemd-analyze and the like are not needed.
 */
const listing = rawShell(`if [ -d /run/systemd/system ]; then
systemctl list-units --no-pager --no-legend --plain --all --type service | sed 's/^/% /'
systemctl list-unit-files --no-pager --no-legend --type service | while read -r name status rest; do
case $name in *@.service) active=unknown ;; *) active=$(systemctl is-active "$name" 2>/dev/null) ;; esac
echo "+ $name $status $active"
done
elif command -v service >/dev/null; then service --status-all 2>&1 | sed 's/^/. /'
fi
:`);

/** The state of all services, as a fact. *source*: Ansible's service_facts. */
export default defineModule({
  name: 'service_facts',
  summary: 'The state of all services, as `ansible_facts.services`',
  params: {},
  facts: ['services'],
  examples: ['- service_facts:\n'],
  probe: () => read(listing, (reply) => servicesOf(stdoutText(reply)), {dependsOn: ['unit:*', 'package:*']}),
  plan: () => converged(),
  result: (_, services) => ({
    ansible_facts: {services: Object.fromEntries(services.map((s): [string, Json] => [s.name, {...s}]))},
  }),
});

/** States of a loaded unit that say more than its file's. */
const troubles = new Set(['not-found', 'masked', 'failed']);

function servicesOf(text: string): readonly Service[] {
  const services = new Map<string, Service>();
  for (const line of text.split('\n')) {
    const [kind, ...words] = line.trim().split(/\s+/);
    const [name, ...rest] = words;
    if (name === undefined) continue;
    if (kind === '%') {
      const trouble = rest.slice(0, 2).find((word) => troubles.has(word));
      const state = rest[2] === 'running' ? 'running' : 'stopped';
      services.set(name, {name, state, status: trouble ?? rest[1] ?? 'unknown', source: 'systemd'});
    } else if (kind === '+') {
      const loaded = services.get(name);
      const status = rest[0] ?? 'unknown';
      if (loaded === undefined) services.set(name, {name, state: rest[1] ?? 'unknown', status, source: 'systemd'});
      else if (!troubles.has(loaded.status)) services.set(name, {...loaded, status});
    } else if (kind === '.') {
      // ` [ + ]  cron`
      const sysv = /\[\s*([-+?])\s*\]\s+(\S+)/.exec(line);
      if (sysv?.[2] !== undefined) {
        const state = sysv[1] === '+' ? 'running' : 'stopped';
        services.set(sysv[2], {name: sysv[2], state, status: 'unknown', source: 'sysv'});
      }
    }
  }
  return [...services.values()];
}
