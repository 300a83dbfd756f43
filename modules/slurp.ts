import {converged, defineModule, file, followed, p, refuse} from '#kit';

/** The content of a file, base64-coded. *source*: Ansible's slurp. */
export default defineModule({
  name: 'slurp',
  summary: 'Read a file into a variable (base64)',
  params: {src: p.path('the file on the host', {required: true, aliases: ['path']})},
  examples: ['- slurp:\n    src: /etc/hostname\n  register: name_file\n'],
  probe: (v) => file(v.src, {content: 'always', maxBytes: 16 * 1024 * 1024}),
  plan: (v, now) => {
    const state = followed(now);
    if (state.type === 'absent') return refuse('absent', `${v.src} does not exist`);
    if (state.type !== 'file') return refuse('not-a-file', `${v.src} is a ${state.type}`);
    if (state.denied === true)
      return refuse('unreadable', `${v.src} cannot be read by this account`, {help: 'use `become: true`'});
    return state.content === undefined
      ? refuse('too-large', `${v.src} has ${state.sizeBytes} bytes; at most 16 MiB are read`)
      : converged();
  },
  result: (v, before) => {
    const state = followed(before);
    return {
      source: v.src,
      encoding: 'base64',
      content:
        state.type === 'file' && state.content !== undefined ? Buffer.from(state.content).toString('base64') : '',
    };
  },
});
