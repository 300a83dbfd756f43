import {
  defineModule,
  planService,
  serviceEveryRun,
  serviceMistakes,
  serviceParams,
  serviceProbe,
  serviceResult,
} from '#kit';

/** A service: running or not, started at boot or not. *source*: Ansible's service; systemctl(1). */
export default defineModule({
  name: 'service',
  summary: 'A service: its state and whether it starts at boot',
  params: serviceParams,
  everyRun: serviceEveryRun,
  examples: ['- service:\n    name: cron\n    state: started\n    enabled: true\n  when: false\n'],
  check: serviceMistakes,
  probe: serviceProbe,
  plan: planService,
  result: serviceResult,
});
