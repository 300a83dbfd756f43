// Random chains of tasks that work on the same few things, so that what one leaves is what the next one finds.
import fc from 'fast-check';

/** A task as data; `{{N}}` never occurs in it: the chain's number is in its names already. */
export type ChainTask = Readonly<Record<string, unknown>> & {readonly name: string};

const modes = ['0644', '0600', '0755', 'u+x', 'g-r,o='];
const linesOfText = ['one', 'two', 'three = 3', '# two'];
const texts = ['', 'one\n', 'one\ntwo\n', 'two\none\nthree = 3\n', 'no newline'];

/** Chains with names of their own: `number` keeps their files, accounts and units apart. */
export function chain(number: number): fc.Arbitrary<readonly ChainTask[]> {
  const root = `/srv/law/${number}`;
  const files = ['a', 'b', 'd/x'].map((name) => `${root}/${name}`);
  const account = `lawu${number}`;
  const group = `lawg${number}`;
  const unit = `law${number}`;
  const path = fc.constantFrom(...files);
  // where a command cannot fail: nobody foretells that
  const beside = fc.constantFrom(...files.slice(0, 2));
  const anyPath = fc.constantFrom(...files, `${root}/d`, `${root}/l`);
  const attributes = fc.record(
    {
      mode: fc.constantFrom(...modes),
      owner: fc.constantFrom('root', 'root', 'daemon', account),
      group: fc.constantFrom('root', 'root', 'daemon', group),
    },
    {requiredKeys: []},
  );
  const sometimes = (given: object, more: object): object => ({...given, ...more});

  const steps: readonly {weight: number; arbitrary: fc.Arbitrary<Record<string, unknown>>}[] = [
    {
      weight: 2,
      arbitrary: fc
        .record({path: fc.constantFrom(`${root}/d`, `${root}/d/deep/er`, `${root}/a`), more: attributes})
        .map(({path: at, more}) => ({file: sometimes({path: at, state: 'directory'}, more)})),
    },
    {
      weight: 2,
      arbitrary: fc
        .record({path: anyPath, state: fc.constantFrom('absent', 'file', 'touch'), more: attributes})
        .map(({path: at, state, more}) => ({
          file: {
            path: at,
            state,
            ...(state === 'absent' ? {} : more),
            ...(state === 'touch' ? {modification_time: 'preserve', access_time: 'preserve'} : {}),
          },
        })),
    },
    {
      weight: 1,
      arbitrary: path.map((src) => ({file: {path: `${root}/l`, src, state: 'link', force: true}})),
    },
    {
      weight: 4,
      arbitrary: fc
        .record({dest: fc.oneof(path, fc.constant(`${root}/l`)), content: fc.constantFrom(...texts), more: attributes})
        .map(({dest, content, more}) => ({copy: sometimes({dest, content}, more)})),
    },
    {
      weight: 3,
      arbitrary: fc
        .record({
          path,
          line: fc.constantFrom(...linesOfText),
          create: fc.boolean(),
          state: fc.constantFrom('present', 'present', 'absent'),
          regexp: fc.option(fc.constantFrom('^one', '^#? ?two', 'nothing'), {nil: undefined}),
        })
        .map(({regexp, ...given}) => ({lineinfile: {...given, ...(regexp === undefined ? {} : {regexp})}})),
    },
    {
      weight: 2,
      arbitrary: fc
        .record({path, create: fc.boolean(), block: fc.constantFrom('alpha\nbeta\n', 'alpha\n', '')})
        .map((given) => ({blockinfile: given})),
    },
    {
      weight: 2,
      arbitrary: fc
        .record({path, regexp: fc.constantFrom('one', '^two$', 't(.)o'), replace: fc.constantFrom('uno', 'x\\1y', '')})
        .map(({replace, ...given}) => ({
          replace: {...given, replace: given.regexp === 't(.)o' ? replace : replace.replace('\\1', '')},
        })),
    },
    {
      weight: 1,
      arbitrary: fc.constantFrom('present', 'present', 'absent').map((state) => ({group: {name: group, state}})),
    },
    {
      weight: 2,
      arbitrary: fc
        .record({
          state: fc.constantFrom('present', 'present', 'absent'),
          shell: fc.constantFrom('/bin/sh', '/usr/sbin/nologin'),
          groups: fc.constantFrom(undefined, [group], ['daemon']),
        })
        .map(({state, shell, groups}) => ({
          user: {
            name: account,
            state,
            create_home: false,
            ...(state === 'absent' ? {} : {shell, ...(groups === undefined ? {} : {groups, append: true})}),
          },
        })),
    },
    {
      weight: 1,
      arbitrary: beside.map((at) => ({command: {argv: ['cp', '/etc/hostname', at], creates: at}})),
    },
    {
      weight: 1,
      arbitrary: beside.map((at) => ({shell: {cmd: `echo by-shell >> ${at}`, creates: at}})),
    },
    {
      weight: 1,
      arbitrary: fc.constantFrom('echo', 'true').map((program) => ({
        copy: {
          dest: `/etc/systemd/system/${unit}.service`,
          content: `[Service]\nType=oneshot\nRemainAfterExit=yes\nExecStart=/bin/${program}\n[Install]\nWantedBy=multi-user.target\n`,
        },
      })),
    },
    {
      weight: 1,
      arbitrary: fc
        .record({state: fc.constantFrom('started', 'stopped'), enabled: fc.constantFrom(undefined, true, false)})
        .map(({state, enabled}) => ({
          systemd: {name: unit, state, daemon_reload: true, ...(enabled === undefined ? {} : {enabled})},
        })),
    },
    {
      weight: 1,
      arbitrary: fc.record({path: anyPath, dest: path}).map(({path: at, dest}) => ({
        pair: [
          {stat: {path: at}, register: `seen${number}`},
          {copy: {dest, content: `{{ seen${number}.stat.exists }}\n`}, when: `seen${number}.stat.exists`},
        ],
      })),
    },
  ];
  return fc
    .array(fc.oneof(...steps), {minLength: 3, maxLength: 7})
    .map((made) =>
      made
        .flatMap((step) => (Array.isArray(step['pair']) ? (step['pair'] as Record<string, unknown>[]) : [step]))
        .map((step, i): ChainTask => ({name: `chain ${number} task ${i}`, ...step})),
    );
}
