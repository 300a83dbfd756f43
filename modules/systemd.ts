import {
  defineModule,
  planService,
  serviceEveryRun,
  serviceMistakes,
  serviceParams,
  serviceProbe,
  serviceResult,
} from '#kit';

/** A systemd unit. *source*: Ansible's systemd; systemctl(1). */
export default defineModule({
  name: 'systemd',
  summary: 'A systemd unit: its state, whether it starts at boot, whether it is masked',
  params: serviceParams,
  aliases: ['systemd_service'],
  everyRun: serviceEveryRun,
  examples: ['- systemd:\n    name: systemd-journald\n    state: started\n'],
  check: serviceMistakes,
  probe: serviceProbe,
  plan: planService,
  result: serviceResult,
});
