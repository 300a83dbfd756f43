import {
  all,
  candidateCommand,
  defineModule,
  file,
  labelParams,
  p,
  planTextEdit,
  probeLabels,
  probePlace,
  refuse,
  reveal,
  secretsOf,
  withLabels,
} from '#kit';
import {blockInFile} from '#formats/lineedit';
import {pythonRegExp} from '#formats/python-regexp';

/** A marked block of lines in a text file. *source*: Ansible's blockinfile. */
export default defineModule({
  name: 'blockinfile',
  summary: 'A marked block of lines in a text file',
  params: {
    path: p.path('the file on the host', {required: true, aliases: ['dest', 'destfile', 'name']}),
    block: p.text('the lines; empty = no block', {default: '', aliases: ['content']}),
    state: p.choice(['present', 'absent'], 'whether the block shall be there', {default: 'present'}),
    marker: p.string('the marker lines; `{mark}` becomes BEGIN and END', {default: '# {mark} ANSIBLE MANAGED BLOCK'}),
    marker_begin: p.string('what `{mark}` becomes at the start', {default: 'BEGIN'}),
    marker_end: p.string('what `{mark}` becomes at the end', {default: 'END'}),
    insertafter: p.string('where a new block goes: after the last match of this expression, or EOF'),
    insertbefore: p.string('where a new block goes: before the last match of this expression, or BOF'),
    prepend_newline: p.boolean('an empty line before the block', {default: false}),
    append_newline: p.boolean('an empty line after the block', {default: false}),
    create: p.boolean('make the file where there is none', {default: false}),
    mode: p.mode('permission bits'),
    owner: p.string('user name or number'),
    group: p.string('group name or number'),
    validate: p.string('command that judges the candidate; `%s` stands for its path'),
    backup: p.boolean('accepted for compatibility: every replaced file is kept below /var/lib/tsplay/backup'),
    ...labelParams,
  },
  examples: [
    '- blockinfile:\n    path: /etc/hosts\n    block: |\n      192.0.2.1 one.test\n      192.0.2.2 two.test\n',
  ],
  check: (v) => [
    ...(v.marker.includes('{mark}')
      ? []
      : [
          {
            code: 'bad-param',
            message: '`marker` needs `{mark}`, or begin and end cannot be told apart',
            param: '/marker',
          },
        ]),
    ...(v.insertafter !== undefined && v.insertbefore !== undefined
      ? [
          {
            code: 'bad-combination',
            message: '`insertafter` and `insertbefore` exclude each other',
            param: '/insertbefore',
          },
        ]
      : []),
    ...[['/insertafter', v.insertafter] as const, ['/insertbefore', v.insertbefore] as const].flatMap(
      ([param, text]) => {
        const made =
          text === undefined || text === 'EOF' || text === 'BOF' ? undefined : pythonRegExp(text, {ascii: true});
        return made === undefined || made.ok
          ? []
          : made.problems.map((problem) => ({code: problem.code, message: problem.message, param}));
      },
    ),
  ],
  probe: (v) =>
    all({now: file(v.path, {content: 'always'}), place: probePlace(v.path, v), labels: probeLabels(v.path, v)}),
  plan: (v, {now, place, labels}) =>
    withLabels(
      planTextEdit(
        {
          path: v.path,
          mode: v.mode,
          owner: v.owner,
          group: v.group,
          create: v.create,
          absentIsFine: v.state === 'absent',
          secrets: secretsOf(v.block),
          validate: v.validate === undefined ? undefined : candidateCommand(v.validate),
          place,
          edit: (text) => {
            const place = (where: string | undefined): 'EOF' | 'BOF' | RegExp | undefined => {
              if (where === undefined || where === 'EOF' || where === 'BOF') return where;
              const made = pythonRegExp(where, {ascii: true});
              return made.ok ? made.value : undefined;
            };
            const after = place(v.insertafter);
            const before = place(v.insertbefore);
            if (after === 'BOF' || before === 'EOF')
              return refuse('bad-param', 'insertafter takes EOF, insertbefore takes BOF');
            return blockInFile(text, {
              state: v.state,
              block: reveal(v.block),
              marker: v.marker,
              markerBegin: v.marker_begin,
              markerEnd: v.marker_end,
              ...(after === undefined ? {} : {insertAfter: after}),
              ...(before === undefined ? {} : {insertBefore: before}),
              prependNewline: v.prepend_newline,
              appendNewline: v.append_newline,
            });
          },
        },
        now,
      ),
      v.path,
      v,
      labels,
    ),
});
