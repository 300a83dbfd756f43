import {converged, defineModule, p, read, sh} from '#kit';

/** Proves that a shell answers on the host. *source*: Ansible's ping. */
export default defineModule({
  name: 'ping',
  summary: 'Prove that the host answers',
  params: {data: p.string('what to answer', {default: 'pong'})},
  examples: ['- ping:\n'],
  probe: () => read(sh`:`, (reply) => reply.exit === 0, {dependsOn: []}),
  plan: () => converged(),
  result: (values) => ({ping: values.data}),
});
