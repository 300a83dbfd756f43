import {
  Secret,
  all,
  candidateCommand,
  defineModule,
  file,
  followed,
  labelParams,
  misplaced,
  p,
  planFile,
  probeLabels,
  probePlace,
  refuse,
  sha256,
  withLabels,
  type Values,
} from '#kit';

const params = {
  src: p.template('the template, looked for in `templates/` of role and playbook and beside the playbook', {
    required: true,
  }),
  dest: p.string('the file on the host, or a folder that takes it under its own name', {
    required: true,
    pattern: '^/[^\\x00]*$',
    describe: 'an absolute path',
  }),
  mode: p.mode('permission bits'),
  owner: p.string('user name or number'),
  group: p.string('group name or number'),
  force: p.boolean('replace a file whose content differs', {default: true}),
  follow: p.boolean('write the file that a link leads to', {default: false}),
  validate: p.string('command that judges the candidate; `%s` stands for its path'),
  backup: p.boolean('accepted for compatibility: every replaced file is kept below /var/lib/tsplay/backup'),
  variable_start_string: p.string('what begins an expression', {default: '{{', minLength: 1}),
  variable_end_string: p.string('what ends an expression', {default: '}}', minLength: 1}),
  block_start_string: p.string('what begins a statement', {default: '{%', minLength: 1}),
  block_end_string: p.string('what ends a statement', {default: '%}', minLength: 1}),
  comment_start_string: p.string('what begins a comment; `{#` where nothing is said', {minLength: 1}),
  comment_end_string: p.string('what ends a comment; `#}` where nothing is said', {minLength: 1}),
  trim_blocks: p.boolean('the line break behind a statement goes', {default: true}),
  lstrip_blocks: p.boolean('blanks before a statement go', {default: false}),
  output_encoding: p.choice(['utf-8'], 'only UTF-8', {default: 'utf-8'}),
  ...labelParams,
  newline_sequence: p.choice(['\\n', '\\r', '\\r\\n'], 'line ends'),
};
type V = Values<typeof params>;

/** A rendered template on the host. Secrets in it stay hidden in diffs; the text around them is shown. *source*: Ansible's template. */
export default defineModule({
  name: 'template',
  summary: 'Render a template of the controller into a file on the host',
  params,
  examples: ['- template:\n    src: greeting.j2\n    dest: /etc/issue.net\n    mode: "0644"\n'],
  check: (v) =>
    v.mode === 'preserve'
      ? [{code: 'bad-param', message: 'a template has no mode to preserve', param: '/mode', help: 'mode: "0644"'}]
      : v.validate !== undefined && !v.validate.includes('%s')
        ? [{code: 'bad-param', message: '`validate` needs `%s` for the path of the candidate', param: '/validate'}]
        : [],
  probe: (v) => {
    const {path, folder} = destOf(v);
    const content = {unless: sha256(textOf(v))};
    return all({
      now: file(path, {content: folder ? 'never' : content}),
      inside: file(inside(path, v), {content}),
      place: probePlace(path, v),
      labels: probeLabels(path, v),
      insideLabels: probeLabels(inside(path, v), v),
    });
  },
  plan: (v, {now, inside: below, place, labels, insideLabels}) => {
    const {path: dest, folder} = destOf(v);
    const refusal = misplaced(dest, v, place, now.type === 'absent' && !folder);
    if (refusal !== undefined) return refusal;
    const isFolder = followed(now).type === 'directory';
    if (folder && !isFolder)
      return refuse(
        'no-folder',
        `${dest} is ${now.type === 'absent' ? 'not there' : `a ${now.type}`}, and shall be a directory`,
        {
          help: 'make it first: `file` with `state: directory`',
        },
      );
    const seen = isFolder ? below : now;
    if (!v.force && seen.type !== 'absent') return {kind: 'converged'};
    const path = isFolder ? inside(dest, v) : dest;
    const plan = planFile(
      {
        path,
        content: textOf(v),
        mode: v.mode,
        owner: v.owner,
        group: v.group,
        follow: v.follow,
        ...(v.validate === undefined ? {} : {validate: candidateCommand(v.validate)}),
      },
      seen,
    );
    return withLabels(plan, path, v, isFolder ? insideLabels : labels);
  },
  result: (v) => ({dest: v.dest, checksum: sha256(textOf(v))}),
});

/** The destination without a trailing slash, and whether it had one. */
function destOf(v: V): {readonly path: string; readonly folder: boolean} {
  const clean = v.dest.replace(/\/(\.?\/)+/g, '/').replace(/\/\.$/, '/');
  return {path: clean.length > 1 ? clean.replace(/\/$/, '') : clean, folder: clean.endsWith('/')};
}

/** A folder takes the file under the template's own name. */
function inside(folder: string, v: V): string {
  return `${folder === '/' ? '' : folder}/${v.src.path.split('/').at(-1) ?? ''}`;
}

/** The rendered text with the wanted line ends. */
function textOf(v: V): string | Secret {
  const end = {'\\n': '\n', '\\r': '\r', '\\r\\n': '\r\n'}[v.newline_sequence ?? '\\n'];
  if (end === '\n') return v.src.text;
  return v.src.text instanceof Secret
    ? v.src.text.map((text) => text.replaceAll('\n', end))
    : v.src.text.replaceAll('\n', end);
}
