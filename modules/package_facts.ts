import {converged, defineModule, p, rawShell, read, stdoutText, type Json} from '#kit';

/** The package database whole: name, version, release, epoch, architecture, section. */
const listing = rawShell(`if command -v dpkg-query >/dev/null; then
dpkg-query -W -f 'apt|\${Package}|\${Version}|||\${Architecture}|\${Section}|\${db:Status-Status}\\n'
elif command -v rpm >/dev/null; then
rpm -qa --qf 'rpm|%{NAME}|%{VERSION}|%{RELEASE}|%{EPOCH}|%{ARCH}|%{GROUP}|installed\\n'
elif command -v apk >/dev/null; then
apk list -I 2>/dev/null | sed -n 's/^\\(.*\\)-\\([0-9][^ ]*-r[0-9]*\\) \\([^ ]*\\) .*/apk|\\1|\\2|||\\3||installed/p'
fi
:`);

/** All installed packages, as a fact. *source*: Ansible's package_facts. */
export default defineModule({
  name: 'package_facts',
  summary: 'All installed packages, as `ansible_facts.packages`',
  params: {
    manager: p.list(p.string('a package manager'), "accepted for compatibility: the host's own is asked"),
    strategy: p.string('accepted for compatibility: the one package manager is asked'),
  },
  facts: ['packages'],
  examples: ['- package_facts:\n'],
  probe: () => read(listing, (reply) => packagesOf(stdoutText(reply)), {dependsOn: ['package:*']}),
  plan: () => converged(),
  result: (_, packages) => ({ansible_facts: {packages}}),
});

function packagesOf(text: string): Json {
  const packages: Record<string, Json[]> = {};
  for (const line of text.split('\n')) {
    const [source, name, version = '', release = '', epoch = '', arch = '', category = '', status] = line.split('|');
    if (source === undefined || name === undefined || status !== 'installed') continue;
    const more =
      source === 'rpm' ? {release, epoch: /^\d+$/.test(epoch) ? Number(epoch) : null} : {category, origin: ''};
    (packages[name] ??= []).push({name, version, arch, ...more, source});
  }
  return packages;
}
