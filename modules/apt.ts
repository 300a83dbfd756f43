import {
  defineModule,
  packageEveryRun,
  packageMistakes,
  packageParams,
  packageProbe,
  packageResult,
  planPackages,
} from '#kit';

/** Packages under the name that playbooks for this package manager use. *source*: Ansible's apt. */
export default defineModule({
  name: 'apt',
  summary: "Packages, by the name of apt playbooks (the host's own package manager is used)",
  params: packageParams,
  examples: ['- apt:\n    name: hello\n    state: present\n'],
  everyRun: packageEveryRun,
  check: packageMistakes,
  probe: packageProbe,
  plan: planPackages,
  result: packageResult,
});
