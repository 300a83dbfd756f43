import {
  defineModule,
  packageEveryRun,
  packageMistakes,
  packageParams,
  packageProbe,
  packageResult,
  planPackages,
} from '#kit';

/** Packages under the name that playbooks for this package manager use. *source*: Ansible's dnf. */
export default defineModule({
  name: 'dnf',
  summary: "Packages, by the name of dnf playbooks (the host's own package manager is used)",
  params: packageParams,
  examples: ['- dnf:\n    name: hello\n    state: present\n'],
  everyRun: packageEveryRun,
  check: packageMistakes,
  probe: packageProbe,
  plan: planPackages,
  result: packageResult,
});
