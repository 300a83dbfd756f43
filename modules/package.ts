import {
  defineModule,
  packageEveryRun,
  packageMistakes,
  packageParams,
  packageProbe,
  packageResult,
  planPackages,
} from '#kit';

/** Packages, whatever the distribution's package manager. *source*: Ansible's package. */
export default defineModule({
  name: 'package',
  summary: 'Packages: installed, absent or the newest',
  params: packageParams,
  examples: ['- package:\n    name: hello\n    state: present\n'],
  everyRun: packageEveryRun,
  check: packageMistakes,
  probe: packageProbe,
  plan: planPackages,
  result: packageResult,
});
