import {factsProbe} from '../engine/facts.ts';
import {compileReads} from '../remote/batch.ts';
import {ReadFailed} from '../remote/read-fragment.ts';
import {exitOf, onHosts, tell, type Options} from './on-hosts.ts';

/**
 * `tsplay facts PATTERN`: every fact of the hosts as one JSON document, `{host: {ansible_…: …}}`, under the names that playbooks use. `--filter` keeps those
 * whose name fits. Hosts that cannot be reached are told on stderr, and are not in the document.
 */
export async function factsCommand(pattern: string, options: Options): Promise<void> {
  const done = await onHosts(pattern, options, async (connection, become, signal) => {
    const session = await connection.session(become);
    const probe = factsProbe('all');
    const batch = compileReads(probe.reads);
    const decoded = batch.decode(await session.exchange(batch.fragments, {signal}));
    if (decoded instanceof ReadFailed) throw decoded;
    return probe.join(probe.reads.map((read) => decoded.get(read)));
  });
  if (done === undefined) return;
  const fits = nameFilter(options['filter'] === undefined ? '*' : String(options['filter']));
  const document: Record<string, Record<string, unknown>> = {};
  for (const answer of done.answers) {
    if (answer.is !== 'answered') {
      tell({
        severity: 'error',
        code: answer.is,
        message: `${answer.host}: ${answer.message}`,
        ...(answer.help === undefined ? {} : {help: answer.help}),
      });
      continue;
    }
    document[answer.host] = Object.fromEntries(
      Object.entries(answer.value)
        .map(([name, value]): [string, unknown] => [`ansible_${name}`, value])
        .filter(([name]) => fits(name))
        .sort(([a], [b]) => (a < b ? -1 : 1)),
    );
  }
  process.stdout.write(`${JSON.stringify(document, undefined, 2)}\n`);
  process.exitCode = exitOf(done.answers);
}

/** Names by a pattern with `*` and `?`; `distribution*` means `ansible_distribution*` too. */
export function nameFilter(pattern: string): (name: string) => boolean {
  const expression = new RegExp(
    `^(?:ansible_)?${pattern
      .replace(/^ansible_/, '')
      .replace(/[\\^$.+()[\]{}|/]/g, '\\$&')
      .replaceAll('*', '.*')
      .replaceAll('?', '.')}$`,
  );
  return (name) => expression.test(name);
}
