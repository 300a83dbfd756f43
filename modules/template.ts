import {all, candidateCommand, defineModule, file, misplaced, p, planFile, probePlace, sha256} from '#kit';

/** A rendered template on the host. Secrets in it stay hidden in diffs; the text around them is shown. *source*: Ansible's template. */
export default defineModule({
  name: 'template',
  summary: 'Render a template of the controller into a file on the host',
  params: {
    src: p.template('the template, looked for in `templates/` of role and playbook and beside the playbook', {
      required: true,
    }),
    dest: p.path('the file on the host', {required: true}),
    mode: p.mode('permission bits'),
    owner: p.string('user name or number'),
    group: p.string('group name or number'),
    force: p.boolean('replace a file whose content differs', {default: true}),
    follow: p.boolean('write the file that a link leads to', {default: false}),
    validate: p.string('command that judges the candidate; `%s` stands for its path'),
    backup: p.boolean('accepted for compatibility: every replaced file is kept below /var/lib/tsplay/backup'),
    newline_sequence: p.choice(['\\n', '\\r', '\\r\\n'], 'line ends'),
  },
  examples: ['- template:\n    src: greeting.j2\n    dest: /etc/issue.net\n    mode: "0644"\n'],
  check: (v) =>
    v.validate !== undefined && !v.validate.includes('%s')
      ? [{code: 'bad-param', message: '`validate` needs `%s` for the path of the candidate', param: '/validate'}]
      : [],
  probe: (v) => all({now: file(v.dest, {content: {unless: sha256(v.src.text)}}), place: probePlace(v.dest, v)}),
  plan: (v, {now, place}) => {
    if (!v.force && now.type !== 'absent') return {kind: 'converged'};
    const refusal = misplaced(v.dest, v, place, now.type === 'absent');
    if (refusal !== undefined) return refusal;
    return planFile(
      {
        path: v.dest,
        content: v.src.text,
        mode: v.mode,
        owner: v.owner,
        group: v.group,
        follow: v.follow,
        ...(v.validate === undefined
          ? {}
          : {
              validate: candidateCommand(v.validate),
            }),
      },
      now,
    );
  },
  result: (v) => ({dest: v.dest, checksum: sha256(v.src.text)}),
});
