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
import {replaceInText} from '#formats/lineedit';
import {pythonRegExp} from '#formats/python-regexp';

/** Every match of an expression replaced. *source*: Ansible's replace. */
export default defineModule({
  name: 'replace',
  summary: 'Replace every match of an expression in a text file',
  params: {
    path: p.path('the file on the host', {required: true, aliases: ['dest', 'destfile', 'name']}),
    regexp: p.string('Python regular expression, `^` and `$` at every line', {required: true}),
    replace: p.text('what stands there instead; groups as `\\1` and `\\g<name>`', {default: ''}),
    after: p.string('only behind the first match of this expression'),
    before: p.string('only in front of the first match of this expression'),
    mode: p.mode('permission bits'),
    owner: p.string('user name or number'),
    group: p.string('group name or number'),
    validate: p.string('command that judges the candidate; `%s` stands for its path'),
    backup: p.boolean('accepted for compatibility: every replaced file is kept below /var/lib/tsplay/backup'),
    ...labelParams,
    encoding: p.choice(['utf-8'], 'only UTF-8', {default: 'utf-8'}),
  },
  examples: [
    '- replace:\n    path: /etc/hosts\n    regexp: "^(192\\\\.0\\\\.2\\\\.1\\\\s+)old\\\\.test"\n    replace: "\\\\1new.test"\n',
  ],
  check: (v) =>
    (['regexp', 'after', 'before'] as const).flatMap((name) => {
      const text = v[name];
      const made =
        text === undefined ? undefined : pythonRegExp(text, name === 'regexp' ? {multiline: true} : {dotAll: true});
      return made === undefined || made.ok
        ? []
        : made.problems.map((problem) => ({code: problem.code, message: problem.message, param: `/${name}`}));
    }),
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
          create: false,
          absentIsFine: false,
          secrets: secretsOf(v.replace),
          validate: v.validate === undefined ? undefined : candidateCommand(v.validate),
          place,
          edit: (text) => {
            const regexp = pythonRegExp(v.regexp, {multiline: true});
            const after = v.after === undefined ? undefined : pythonRegExp(v.after, {dotAll: true});
            const before = v.before === undefined ? undefined : pythonRegExp(v.before, {dotAll: true});
            if (!regexp.ok) return refuse(regexp.problems[0].code, regexp.problems[0].message);
            const edited = replaceInText(text, {
              regexp: regexp.value,
              replace: reveal(v.replace),
              ...(after?.ok === true ? {after: after.value} : {}),
              ...(before?.ok === true ? {before: before.value} : {}),
            });
            if (!edited.ok) return refuse(edited.problems[0].code, edited.problems[0].message);
            const again = replaceInText(edited.value.text, {
              regexp: regexp.value,
              replace: reveal(v.replace),
              ...(after?.ok === true ? {after: after.value} : {}),
              ...(before?.ok === true ? {before: before.value} : {}),
            });
            if (again.ok && again.value.text !== edited.value.text) {
              return refuse(
                'not-idempotent',
                `the replacement matches \`${v.regexp}\` again, so every run would change the file`,
                {help: 'make the expression match only what is still to be replaced'},
              );
            }
            return edited.value.text;
          },
        },
        now,
      ),
      v.path,
      v,
      labels,
    ),
});
