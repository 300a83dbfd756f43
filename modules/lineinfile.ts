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
  type Problem,
  type Values,
} from '#kit';
import {lineInFile, type LineEdit} from '#formats/lineedit';
import {pythonRegExp} from '#formats/python-regexp';

const params = {
  path: p.path('the file on the host', {required: true, aliases: ['dest', 'destfile', 'name']}),
  line: p.text('the line', {aliases: ['value']}),
  regexp: p.string(
    'Python regular expression: the last line that it matches is replaced (or, absent, every one is removed)',
    {aliases: ['regex']},
  ),
  search_string: p.string('like `regexp`, but literal text'),
  state: p.choice(['present', 'absent'], 'whether the line shall be there', {default: 'present'}),
  insertafter: p.string('where a new line goes: after the last match of this expression, or EOF'),
  insertbefore: p.string('where a new line goes: before the last match of this expression, or BOF'),
  backrefs: p.boolean('`line` may use groups of `regexp`; without a match nothing is done', {default: false}),
  firstmatch: p.boolean('the first match of insertafter/insertbefore instead of the last', {default: false}),
  create: p.boolean('make the file where there is none', {default: false}),
  mode: p.mode('permission bits'),
  owner: p.string('user name or number'),
  group: p.string('group name or number'),
  validate: p.string('command that judges the candidate; `%s` stands for its path'),
  backup: p.boolean('accepted for compatibility: every replaced file is kept below /var/lib/tsplay/backup'),
  ...labelParams,
};

function editOf(v: Values<typeof params>): LineEdit | {problems: readonly Problem[]} {
  const problems: Problem[] = [];
  const expression = (text: string | undefined, param: string): RegExp | undefined => {
    if (text === undefined) return undefined;
    const made = pythonRegExp(text, {ascii: true});
    if (made.ok) return made.value;
    problems.push(...made.problems.map((problem) => ({code: problem.code, message: problem.message, param})));
    return undefined;
  };
  const regexp = expression(v.regexp, '/regexp');
  const after =
    v.insertafter === undefined || v.insertafter === 'EOF' || v.insertafter === 'BOF'
      ? v.insertafter
      : expression(v.insertafter, '/insertafter');
  const before =
    v.insertbefore === undefined || v.insertbefore === 'BOF' || v.insertbefore === 'EOF'
      ? v.insertbefore
      : expression(v.insertbefore, '/insertbefore');
  if (problems.length > 0) return {problems};
  return {
    state: v.state,
    ...(v.line === undefined ? {} : {line: reveal(v.line)}),
    ...(regexp === undefined ? {} : {regexp}),
    ...(v.search_string === undefined ? {} : {searchString: v.search_string}),
    ...(after === undefined ? {} : {insertAfter: after}),
    ...(before === undefined ? {} : {insertBefore: before}),
    backrefs: v.backrefs,
    firstMatch: v.firstmatch,
  };
}

/** One line of a text file. *source*: Ansible's lineinfile. */
export default defineModule({
  name: 'lineinfile',
  summary: 'A line of a text file',
  params,
  examples: [
    '- lineinfile:\n    path: /etc/hosts\n    regexp: "\\\\sexample\\\\.test$"\n    line: 192.0.2.1 example.test\n',
  ],
  check: (v) => {
    const edit = editOf(v);
    return [
      ...('problems' in edit ? edit.problems : []),
      ...(v.state === 'present' && v.line === undefined
        ? [{code: 'missing-param', message: '`line` is needed with state present'}]
        : []),
      ...(v.state === 'absent' && v.line === undefined && v.regexp === undefined && v.search_string === undefined
        ? [{code: 'missing-param', message: 'one of `line`, `regexp` and `search_string` is needed with state absent'}]
        : []),
      ...(v.regexp !== undefined && v.search_string !== undefined
        ? [
            {
              code: 'bad-combination',
              message: '`regexp` and `search_string` exclude each other',
              param: '/search_string',
            },
          ]
        : []),
      ...(v.insertafter !== undefined && v.insertbefore !== undefined
        ? [
            {
              code: 'bad-combination',
              message: '`insertafter` and `insertbefore` exclude each other',
              param: '/insertbefore',
            },
          ]
        : []),
      ...(v.backrefs && v.regexp === undefined
        ? [{code: 'missing-param', message: '`backrefs` needs `regexp`', param: '/backrefs'}]
        : []),
      ...(v.validate !== undefined && !v.validate.includes('%s')
        ? [{code: 'bad-param', message: '`validate` needs `%s` for the path of the candidate', param: '/validate'}]
        : []),
    ];
  },
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
          secrets: secretsOf(v.line),
          validate: v.validate === undefined ? undefined : candidateCommand(v.validate),
          place,
          edit: (text) => {
            const edit = editOf(v);
            if ('problems' in edit)
              return refuse('regexp-invalid', edit.problems[0]?.message ?? 'the expression is wrong');
            const edited = lineInFile(text, edit);
            return edited.ok ? edited.value : refuse(edited.problems[0].code, edited.problems[0].message);
          },
        },
        now,
      ),
      v.path,
      v,
      labels,
    ),
  result: () => ({backup: ''}),
});
