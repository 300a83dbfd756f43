import {stdoutText} from '../kit/reads.ts';
import {distributionFacts, parseOsRelease} from '../formats/os-release.ts';
import type {Fragment, Outcome} from '../remote/session.ts';

export function factsFragment(): readonly Fragment[] {
  return [
    {
      shell: 'cat /etc/os-release; echo "---"; uname -n; uname -r; uname -m',
      group: 0,
      onFailure: 'go-on',
      label: 'facts',
      secret: false,
      timeoutMs: 60_000,
    },
  ];
}
export function decodeFacts(outcomes: readonly Outcome[]): Record<string, unknown> {
  const [first] = outcomes;
  if (first?.ran !== true) return {};
  const [os = '', rest = ''] = stdoutText(first.reply).split('---\n');
  const [nodename, kernel, machine] = rest.split('\n');
  return {
    ...distributionFacts(parseOsRelease(os)),
    nodename,
    hostname: nodename?.split('.')[0],
    kernel,
    machine,
    architecture: machine,
    system: 'Linux',
  };
}
