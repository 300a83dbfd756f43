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
  type Values,
} from '#kit';
import {editIni, parseIni, printIni} from '#formats/ini';

const params = {
  path: p.path('the file on the host', {required: true, aliases: ['dest']}),
  section: p.string('the section; without it options in front of the first one are meant'),
  option: p.string('the option; without it the section itself is meant'),
  value: p.text('its value'),
  values: p.list(p.text('a value'), 'its values, where it may stand several times'),
  state: p.choice(['present', 'absent'], 'whether it shall be there', {default: 'present'}),
  exclusive: p.boolean('take away other values of the option', {default: true}),
  no_extra_spaces: p.boolean('no blanks around `=`', {default: false}),
  allow_no_value: p.boolean('the option may stand without a value', {default: false}),
  ignore_spaces: p.boolean('accepted for compatibility: blanks around `=` never count as a difference'),
  create: p.boolean('make the file where there is none', {default: true}),
  mode: p.mode('permission bits'),
  owner: p.string('user name or number'),
  group: p.string('group name or number'),
  validate: p.string('command that judges the candidate; `%s` stands for its path'),
  follow: p.boolean('accepted for compatibility: links are followed'),
  backup: p.boolean('accepted for compatibility: every replaced file is kept below /var/lib/tsplay/backup'),
  ...labelParams,
};
type V = Values<typeof params>;

function valuesOf(v: V): readonly string[] | undefined {
  const given = v.values ?? (v.value === undefined ? undefined : [v.value]);
  return given?.map(reveal);
}

/** One option (or section) of a file in INI form; everything else stays as it is. *source*: Ansible's ini_file. */
export default defineModule({
  name: 'ini_file',
  summary: 'An option in a file of sections',
  params,
  examples: [
    '- ini_file:\n    path: /etc/systemd/journald.conf\n    section: Journal\n    option: MaxRetentionSec\n    value: 1month\n    no_extra_spaces: true\n',
    '- ini_file:\n    path: /etc/systemd/journald.conf\n    section: Journal\n    option: MaxRetentionSec\n    state: absent\n',
  ],
  check: (v) => [
    ...(v.value !== undefined && v.values !== undefined
      ? [{code: 'bad-combination', message: '`value` and `values` exclude each other', param: '/values'}]
      : []),
    ...(v.state === 'present' &&
    v.option !== undefined &&
    v.value === undefined &&
    v.values === undefined &&
    !v.allow_no_value
      ? [{code: 'missing-param', message: '`value` is needed', help: 'or `allow_no_value: true`'}]
      : []),
    ...(v.option === undefined && (v.value !== undefined || v.values !== undefined)
      ? [{code: 'missing-param', message: '`option` is needed for a value', param: '/value'}]
      : []),
    ...(v.option === undefined && v.section === undefined
      ? [{code: 'missing-param', message: 'one of `section` and `option` is needed'}]
      : []),
    ...(valuesOf(v) ?? []).flatMap((value) =>
      value.includes('\n') ? [{code: 'bad-param', message: 'a value is one line', param: '/value'}] : [],
    ),
    ...(v.option !== undefined && /[\n=]|^\s*[[#;]/.test(v.option)
      ? [{code: 'bad-param', message: 'this cannot be the name of an option', param: '/option'}]
      : []),
    ...(v.section !== undefined && /[\n\]]/.test(v.section)
      ? [{code: 'bad-param', message: 'this cannot be the name of a section', param: '/section'}]
      : []),
    ...(v.validate !== undefined && !v.validate.includes('%s')
      ? [{code: 'bad-param', message: '`validate` needs `%s` for the path of the candidate', param: '/validate'}]
      : []),
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
          place,
          create: v.create,
          absentIsFine: v.state === 'absent',
          secrets: secretsOf(v.value, ...(v.values ?? [])),
          validate: v.validate === undefined ? undefined : candidateCommand(v.validate),
          edit: (text) => {
            const values = valuesOf(v);
            const edit = {
              ...(v.section === undefined || v.section === '' ? {} : {section: v.section}),
              ...(v.option === undefined ? {} : {option: v.option}),
              ...(values === undefined ? {} : {values}),
              state: v.state,
              exclusive: v.exclusive,
              noExtraSpaces: v.no_extra_spaces,
              allowNoValue: v.allow_no_value,
            };
            const after = printIni(editIni(parseIni(text), edit));
            return printIni(editIni(parseIni(after), edit)) === after
              ? after
              : refuse('not-idempotent', `${v.path} would change with every run: its form is not understood`);
          },
        },
        now,
      ),
      v.path,
      v,
      labels,
    ),
});
