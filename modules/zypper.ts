import {
  defineModule,
  packageEveryRun,
  packageMistakes,
  packageParams,
  packageProbe,
  packageResult,
  planPackages,
} from '#kit';

/** Packages under the name that playbooks for this package manager use. *source*: Ansible's zypper. */
export default defineModule({
  name: 'zypper',
  summary: "Packages, by the name of zypper playbooks (the host's own package manager is used)",
  params: packageParams,
  examples: ['- zypper:\n    name: hello\n    state: present\n'],
  everyRun: packageEveryRun,
  check: packageMistakes,
  probe: packageProbe,
  plan: planPackages,
  result: packageResult,
});
