import {
  all,
  change,
  converged,
  defineModule,
  file,
  followed,
  isNonEmpty,
  list,
  nearestName,
  nothing,
  p,
  platformOf,
  presentText,
  read,
  refuse,
  refuseAll,
  rewrite,
  sh,
  stdoutText,
  textOf,
  type Change,
  type FileState,
  type Host,
  type Op,
  type Plan,
  type PlainOp,
  type Problem,
  type Values,
} from '#kit';
import {
  findRules,
  insertRule,
  jumpProblems,
  ownerOf,
  parsePam,
  printPam,
  removeRule,
  renderRule,
  replaceRule,
  rulesOf,
  sameControl,
  sameRule,
  type PamPlace,
  type PamRule,
  type PamSelector,
  type PamStack,
  type PamType,
} from '#formats/pam';
import {isPamControl, pamOutcomes} from '#formats/pam-outcome';

const types = ['auth', 'account', 'password', 'session'] as const;
const typeWords = [...types, '-auth', '-account', '-password', '-session'] as const;
const anchor = p.object(
  {
    type: p.choice(types, "its type; default the rule's"),
    module: p.string('its module', {required: true}),
    control: p.string('its control'),
  },
  'a rule of the file',
);
const params = {
  name: p.string('the service: a file below /etc/pam.d', {
    required: true,
    pattern: '^[A-Za-z0-9_][A-Za-z0-9_.+-]*$',
    describe: 'a service name',
  }),
  rules: p.list(
    p.object(
      {
        type: p.choice(typeWords, 'with a leading `-` a missing module is not logged', {required: true}),
        control: p.string(
          'required, requisite, sufficient, optional, `[value=action …]`, include, substack or @include',
          {required: true},
        ),
        module: p.string('the module, or the file that is included', {required: true}),
        args: p.list(p.string('an argument'), 'its arguments'),
      },
      'a rule',
    ),
    'the whole stack, in order',
    {nonEmpty: true},
  ),
  rule: p.object(
    {
      type: p.choice(typeWords, 'with a leading `-` a missing module is not logged', {required: true}),
      control: p.string('required, requisite, sufficient, optional or `[value=action …]`'),
      module: p.string('the module', {required: true}),
      args: p.list(p.string('an argument'), 'its arguments; left out = as they are'),
      after: anchor,
      before: anchor,
      state: p.choice(['present', 'absent'], 'whether the rule shall be there', {default: 'present'}),
    },
    'one rule in a file that others own too',
  ),
  guard: p.either(
    p.integer('seconds', {min: 5, max: 600}),
    p.choice(['off'], 'no guard'),
    'seconds until the host puts the old file back unless a fresh login works; `off` to switch off',
    {
      default: 30,
    },
  ),
  allow_lockout: p.boolean('do it even where nobody could log in any more', {default: false}),
  state: p.choice(['present', 'absent'], 'whether the file shall be there', {default: 'present'}),
};
type V = Values<typeof params>;
type Given = {
  readonly type: string;
  readonly control?: string | undefined;
  readonly module: string;
  readonly args?: readonly string[] | undefined;
};

const pathOf = (name: string): string => `/etc/pam.d/${name}`;
/** Where distributions keep files that /etc overrides. *source*: pam.conf(5); openSUSE and Fedora since Linux-PAM 1.3.1. */
const vendorPaths = (name: string): readonly string[] => [`/usr/lib/pam.d/${name}`, `/usr/etc/pam.d/${name}`];
const placesOf = (name: string): readonly string[] => [pathOf(name), ...vendorPaths(name)];

const isInclude = (control: string): boolean => /^(@?include|substack)$/i.test(control);
const typeOf = (word: string): PamType => word.replace(/^-/, '') as PamType;
function ruleOf(given: Given, control: string): PamRule {
  return {
    type: typeOf(given.type),
    ...(given.type.startsWith('-') ? {quiet: true} : {}),
    control,
    module: given.module,
    ...(given.args === undefined || given.args.length === 0 ? {} : {args: given.args}),
  };
}

/** The wanted text. `@include` is Debian's word; elsewhere it is the platform's way to take in the rules of one type. */
function wantedText(rules: readonly Given[], atInclude: string): string {
  return rules
    .map((given) => {
      const control = given.control ?? '';
      if (control.toLowerCase() !== '@include') return `${renderRule(ruleOf(given, control))}\n`;
      return atInclude === '@include' ? `@include ${given.module}\n` : `${renderRule(ruleOf(given, atInclude))}\n`;
    })
    .join('');
}

const includesOf = (v: V): readonly string[] => [
  ...new Set((v.rules ?? []).filter((rule) => isInclude(rule.control)).map((rule) => rule.module)),
];
const modulesOf = (v: V): readonly string[] => {
  const single =
    v.rule !== undefined && v.rule.state === 'present' && !v.rule.type.startsWith('-') ? [v.rule.module] : [];
  const several = (v.rules ?? [])
    .filter((rule) => !isInclude(rule.control) && !rule.type.startsWith('-'))
    .map((rule) => rule.module);
  return [...new Set([...single, ...several])];
};

/** Which of these modules libpam would find. */
function presentModules(names: readonly string[]) {
  return read(
    sh`for m in ${names}; do
case $m in /*) [ -e "$m" ] && echo "$m"; continue ;; esac
for d in /lib/security /lib64/security /lib/*/security /usr/lib/security /usr/lib64/security /usr/lib/*/security /usr/local/lib/security; do
[ -e "$d/$m" ] && { echo "$m"; break; }
done
done
:`,
    (reply): ReadonlySet<string> => new Set(stdoutText(reply).split('\n')),
    {dependsOn: ['package:*']},
  );
}

/** A service that this connection goes through, or may need for its next step. */
const isDoor = (name: string): boolean =>
  /^(sshd|login|remote|su|su-l|sudo|sudo-i|doas|common-.*|system-auth.*|password-auth.*|postlogin.*)$/.test(name);

type State = {
  readonly places: readonly FileState[];
  readonly includes: readonly (readonly FileState[])[];
  readonly other: FileState;
  readonly modules: ReadonlySet<string>;
  readonly folder: FileState;
};

/** The stack in force for a file's states in order: /etc's, else the vendor's. */
function textIn(states: readonly FileState[]): string | undefined {
  for (const state of states) {
    const real = followed(state);
    if (real.type === 'file') return real.content === undefined ? '' : (textOf(real.content) ?? '');
  }
  return undefined;
}

/** Rules and includes of each type, one token each; `@include` counts for the types that the file named has rules of. */
function meaning(stack: PamStack, typesOf: (target: string) => ReadonlySet<string> | undefined): string {
  return types
    .map((type) =>
      stack.lines
        .flatMap((line) => {
          if (line.kind === 'other') return /^\s*(#|$)/.test(line.raw) ? [] : [`broken ${line.raw}`];
          if (line.kind === 'include')
            return typesOf(line.target)?.has(type) === false ? [] : [`include ${line.target}`];
          if (line.rule.type !== type) return [];
          if (line.rule.control.toLowerCase() !== 'include') return [JSON.stringify(canonical(line.rule))];
          return typesOf(line.rule.module)?.has(type) === false ? [] : [`include ${line.rule.module}`];
        })
        .join('\n'),
    )
    .join('\n--\n');
}

function canonical(rule: PamRule): unknown {
  const control =
    ['required', 'requisite', 'sufficient', 'optional'].find((word) => sameControl(word, rule.control)) ??
    rule.control.toLowerCase().replace(/\s+/g, ' ');
  return [rule.type, rule.quiet === true, control, rule.module, rule.args ?? []];
}

/** What is wrong with one rule as written. */
function checkRule(given: Given, at: string, whole: boolean): Problem[] {
  const problems: Problem[] = [];
  const {control, module, args = []} = given;
  const words = [
    'required',
    'requisite',
    'sufficient',
    'optional',
    ...(whole ? ['include', 'substack', '@include'] : []),
  ];
  if (
    control !== undefined &&
    !(whole && control.toLowerCase() === '@include') &&
    (!isPamControl(control) || (!whole && isInclude(control)))
  ) {
    const near = nearestName(control, words);
    problems.push({
      code: 'bad-control',
      message: `"${control}" is no control`,
      param: `${at}/control`,
      help:
        near === undefined
          ? `one of ${words.join(', ')}, or [success=1 default=ignore] with actions ignore, ok, done, bad, die, reset or a count`
          : `did you mean ${near}?`,
    });
  }
  const includes = control !== undefined && isInclude(control);
  if (/[\s#\\[\]]/.test(module) || module === '' || (includes && module.includes('/')))
    problems.push({
      code: 'bad-module',
      message: `"${module}" is no name of a ${includes ? 'service file' : 'module'}`,
      param: `${at}/module`,
    });
  if (includes && args.length > 0)
    problems.push({code: 'bad-args', message: 'an included file takes no arguments', param: `${at}/args`});
  args.forEach((arg, i) => {
    if (/[#\n\0\\]/.test(arg))
      problems.push({
        code: 'bad-args',
        message: `libpam cannot read "${arg}" as one argument`,
        param: `${at}/args/${i}`,
      });
  });
  return problems;
}

/** What is wrong with the stack as a whole: jumps that miss, rules that nothing leads to. Positions are those of `rules`. */
function checkStack(rules: readonly Given[]): Problem[] {
  const stack = parsePam(wantedText(rules, '@include'));
  const jumps = jumpProblems(stack).map((problem): Problem => ({
    code: 'bad-jump',
    message:
      problem.kind === 'past-end'
        ? `the jump over ${problem.skipped} leads past the last ${problem.rule.type} rule, and libpam then refuses everybody`
        : `the jump over ${problem.skipped} goes over an included file, whose number of rules is not told here`,
    param: `/rules/${problem.index}/control`,
    help:
      problem.kind === 'past-end'
        ? `success=N skips the next N ${problem.rule.type} rules: at least one has to follow`
        : 'put the jump into the included file, or use substack',
  }));
  if (jumps.length > 0) return jumps;
  const unreached = new Set(types.flatMap((type) => pamOutcomes(stack, type).unreached));
  return [...unreached].map((index) => ({
    code: 'unreachable-rule',
    severity: 'warning',
    message: `no outcome of the rules before leads to this ${rules[index]?.type ?? ''} rule`,
    param: `/rules/${index}`,
  }));
}

const ownerHelp = {
  'pam-auth-update': 'describe the module in /usr/share/pam-configs/ and run pam-auth-update --package',
  'pam-config': 'use pam-config --add',
  authselect: 'use authselect (a custom profile, or enable-feature)',
  authconfig: 'use authselect or authconfig',
} as const;

/** A PAM service file. *source*: pam.conf(5), pam.d(5); Debian's `@include`. */
export default defineModule({
  name: 'pam_service',
  summary: 'A PAM stack: the whole file of a service, or one rule of it, guarded against locking everybody out',
  params,
  examples: [
    '- pam_service:\n    name: spice\n    rules:\n      - {type: auth, control: requisite, module: pam_nologin.so}\n      - {type: auth, control: include, module: common-auth}\n      - {type: account, control: include, module: common-account}\n      - {type: session, control: required, module: pam_loginuid.so}\n      - {type: session, control: include, module: common-session}\n',
    '- pam_service:\n    name: su\n    rule:\n      type: auth\n      control: required\n      module: pam_wheel.so\n      args: [group=sudo]\n      after: {type: auth, module: pam_rootok.so}\n',
  ],
  check: (v) => {
    const problems: Problem[] = [];
    const say = (code: string, message: string, param: string, help?: string): void =>
      void problems.push({code, message, param, ...(help === undefined ? {} : {help})});
    if (v.state === 'absent') {
      if (v.rules !== undefined)
        say('bad-combination', 'a file that is absent has no rules', '/rules', 'leave out `rules`, or `state: absent`');
      if (v.rule !== undefined)
        say(
          'bad-combination',
          '`state: absent` removes the whole file',
          '/rule',
          'rule: {…, state: absent} removes one rule',
        );
      return problems;
    }
    if (v.rules === undefined && v.rule === undefined)
      say('missing-param', 'say what: `rules` for the whole stack, or one `rule`', '');
    if (v.rules !== undefined && v.rule !== undefined)
      say('bad-combination', '`rules` is the whole stack; `rule` says nothing beside it', '/rule');
    if (v.rules !== undefined) {
      problems.push(...v.rules.flatMap((rule, i) => checkRule(rule, `/rules/${i}`, true)));
      if (problems.length === 0) problems.push(...checkStack(v.rules));
    }
    if (v.rule !== undefined) {
      problems.push(...checkRule(v.rule, '/rule', false));
      if (v.rule.state === 'present' && v.rule.control === undefined)
        say('missing-param', 'a rule needs its `control`', '/rule/control', 'control: required');
      if (v.rule.after !== undefined && v.rule.before !== undefined)
        say('bad-combination', '`after` and `before` exclude each other', '/rule/before');
    }
    return problems;
  },
  probe: (v) =>
    all({
      folder: file('/etc/pam.d'),
      places: list(placesOf(v.name).map((path) => file(path, {content: 'always'}))),
      includes: list(includesOf(v).map((name) => list(placesOf(name).map((path) => file(path, {content: 'always'}))))),
      other: file('/etc/pam.d/other', {content: 'always'}),
      modules: modulesOf(v).length === 0 ? nothing<ReadonlySet<string>>(new Set()) : presentModules(modulesOf(v)),
    }),
  plan: (v, now: State, host: Host) => {
    const path = pathOf(v.name);
    if (followed(now.folder).type !== 'directory')
      return refuse('no-pam', 'this host has no /etc/pam.d: its programs do not use PAM');
    const own = now.places[0] ?? {type: 'absent'};
    const vendor = textIn(now.places.slice(1));
    const owner =
      ownerOf(textIn([own]) ?? '') ??
      (own.type === 'link' && own.target.includes('authselect') ? 'authselect' : undefined);
    if (v.state === 'absent' && own.type === 'absent') return converged({findings: fallback(v, now, vendor)});
    if (owner !== undefined)
      return refuse('owned-file', `${path} is written by ${owner}, which would lose the change or be broken by it`, {
        param: '/name',
        help: ownerHelp[owner],
      });
    if (own.type === 'link')
      return refuse('is-link', `${path} is a link to ${own.target}`, {help: 'name the service that it leads to'});
    const before = presentText(path, own);
    if ('kind' in before) return before;
    if (v.state === 'absent') {
      if (isDoor(v.name) && !v.allow_lockout && vendor === undefined)
        return refuse(
          'lockout',
          `logins of this connection go through the service ${v.name}: without its file /etc/pam.d/other decides`,
          {help: '`allow_lockout: true` does it all the same'},
        );
      const ops: [PlainOp] = [{op: 'remove', path}];
      return change([{what: path, before: before.text, after: undefined}], [guarded(v, host, path, ops)], {
        findings: fallback(v, now, vendor),
      });
    }

    const base = before.text ?? vendor;
    if (base === undefined && v.rule?.state === 'absent') return converged();
    const stack =
      v.rules === undefined ? editRule(v, base) : parsePam(wantedText(v.rules, platformOf(host.facts).pamInclude));
    if ('kind' in stack) return stack;
    const typesOf = (target: string): ReadonlySet<string> | undefined => {
      const text = textIn(now.includes[includesOf(v).indexOf(target)] ?? []);
      return text === undefined ? undefined : typesIn(text);
    };
    const old = parsePam(base ?? '');
    const same =
      v.rules === undefined
        ? printPam(stack) === base
        : base !== undefined && meaning(stack, typesOf) === meaning(old, typesOf);
    const result = same ? old : stack;
    const missing = missingParts(v, now);
    const locked = types.filter((type) => type !== 'password' && !pamOutcomes(result, type).canSucceed);
    if (same)
      return converged({
        findings: [...missing.map((problem) => ({...problem, severity: 'error' as const})), ...policy(v, result)],
      });
    if (isNonEmpty(missing)) return refuseAll(missing);
    if (isNonEmpty(locked) && isDoor(v.name) && !v.allow_lockout)
      return refuse(
        'lockout',
        `with this stack the service ${v.name} refuses everybody (${locked.join(', ')}), and logins of this connection go through it`,
        {
          param: v.rules === undefined ? '/rule' : '/rules',
          help: '`allow_lockout: true` does it all the same',
        },
      );
    const text = printPam(stack);
    const write = rewrite(path, before, text, {mode: '0644', owner: 'root', group: 'root'});
    const changes: [Change] = [{what: path, before: before.text ?? vendor, after: text}];
    return change(changes, [guarded(v, host, path, [write])], {findings: policy(v, result)});
  },
  result: (v, before) => {
    const text = textIn(before.places);
    return {path: pathOf(v.name), rules: text === undefined ? [] : rulesOf(parsePam(text)).map(renderRule)};
  },
});

function guarded(v: V, host: Host, path: string, ops: readonly [PlainOp]): Op {
  if (v.guard === 'off') return ops[0];
  return {
    op: 'guarded',
    ops,
    restores: [path],
    undo: [],
    confirm: host.connection.become === undefined ? 'login' : 'login+become',
    withinMs: v.guard * 1000,
  };
}

function typesIn(text: string): ReadonlySet<string> {
  const stack = parsePam(text);
  // What a nested @include brings is not known from here: it may be anything.
  if (stack.lines.some((line) => line.kind === 'include')) return new Set(types);
  return new Set(rulesOf(stack).map((rule) => rule.type));
}

/** Modules and files that the stack names and the host does not have: with one of them libpam refuses. */
function missingParts(v: V, now: State): Problem[] {
  const at = (name: string, include: boolean): string => {
    const index = v.rules?.findIndex((rule) => rule.module === name && isInclude(rule.control) === include) ?? -1;
    return index < 0 ? '/rule/module' : `/rules/${index}/module`;
  };
  const modules = modulesOf(v).filter((name) => !now.modules.has(name));
  const includes = includesOf(v).filter((_, i) => textIn(now.includes[i] ?? []) === undefined);
  return [
    ...modules.map((name): Problem => ({
      code: 'missing-module',
      message: `this host has no PAM module ${name}, and a rule with a missing module refuses everybody`,
      param: at(name, false),
      help: name.endsWith('.so') ? 'correct the name, or install its package first' : `did you mean ${name}.so?`,
    })),
    ...includes.map((name): Problem => ({
      code: 'missing-include',
      message: `this host has no PAM file ${name} to include`,
      param: at(name, true),
      help: 'Debian and openSUSE have common-auth, common-account, common-password, common-session; Red Hat has system-auth and password-auth',
    })),
  ];
}

/** The file with the one rule as declared, every other byte as it is. */
function editRule(v: V, base: string | undefined): PamStack | (Plan & {kind: 'refuse'}) {
  const stop = (code: string, message: string, help: string, param = '/rule'): Plan & {kind: 'refuse'} =>
    refuse(code, message, {param, help}) as Plan & {kind: 'refuse'};
  const rule = v.rule!;
  const stack = parsePam(base ?? '');
  const type = typeOf(rule.type);
  const matches = findRules(stack, {type, module: rule.module});
  const at = (index: number): PamRule => {
    const line = stack.lines[index];
    return line?.kind === 'rule' ? line.rule : ruleOf(rule, 'required');
  };
  let edited: PamStack;
  if (rule.state === 'absent') {
    const wanted = matches.filter((index) => {
      const found = at(index);
      return (
        (rule.control === undefined || sameControl(found.control, rule.control)) &&
        (rule.args === undefined || sameArgs(found, rule.args))
      );
    });
    edited = wanted.reduceRight((left, index) => removeRule(left, index), stack);
  } else {
    if (base === undefined)
      return stop(
        'no-file',
        `there is no ${pathOf(v.name)} to put the rule into`,
        'declare the whole stack with `rules`',
        '/name',
      );
    const exact = matches.find((index) =>
      sameRule(at(index), {
        ...ruleOf(rule, rule.control ?? ''),
        ...(rule.args === undefined ? {args: at(index).args ?? []} : {}),
      }),
    );
    const likely = rule.args === undefined ? matches : matches.filter((index) => sameArgs(at(index), rule.args ?? []));
    const chosen = exact ?? (likely.length === 1 ? likely[0] : matches.length === 1 ? matches[0] : undefined);
    if (chosen === undefined && matches.length > 1 && likely.length !== 0)
      return stop(
        'ambiguous-rule',
        `${pathOf(v.name)} has ${matches.length} ${type} rules with ${rule.module}`,
        'say by `args` which one is meant',
        '/rule/args',
      );
    const target: PamRule = {
      ...ruleOf(rule, rule.control ?? 'required'),
      ...(rule.args === undefined && chosen !== undefined && at(chosen).args !== undefined
        ? {args: at(chosen).args!}
        : {}),
    };
    const selector = (given: {
      type?: PamType | undefined;
      module: string;
      control?: string | undefined;
    }): PamSelector => ({
      type: given.type ?? type,
      module: given.module,
      ...(given.control === undefined ? {} : {control: given.control}),
    });
    const place: PamPlace =
      rule.after !== undefined
        ? {after: selector(rule.after)}
        : rule.before !== undefined
          ? {before: selector(rule.before)}
          : 'end';
    const anchors = place === 'end' ? [] : findRules(stack, 'after' in place ? place.after : place.before);
    if (place !== 'end' && anchors.length === 0)
      return stop(
        'pam-anchor-missing',
        `${pathOf(v.name)} has no rule to place ${rule.module} at`,
        'name a rule of the file, or leave out `after` and `before`',
        rule.after === undefined ? '/rule/before' : '/rule/after',
      );
    const placed =
      chosen !== undefined &&
      (place === 'end' || ('after' in place ? (anchors.at(-1) ?? 0) < chosen : chosen < (anchors[0] ?? 0)));
    if (chosen !== undefined && placed) edited = replaceRule(stack, chosen, target);
    else {
      const inserted = insertRule(chosen === undefined ? stack : removeRule(stack, chosen), target, place);
      if (!inserted.ok)
        return stop(inserted.problems[0].code, inserted.problems[0].message, 'name another rule of the file', '/rule');
      edited = inserted.value;
    }
  }
  const told = (problems: ReturnType<typeof jumpProblems>): string[] =>
    problems.map((one) => `${one.kind} ${renderRule(one.rule)}`);
  const known = told(jumpProblems(stack));
  const fresh = told(jumpProblems(edited)).filter((one) => !known.includes(one));
  if (fresh.length > 0)
    return stop(
      'bad-jump',
      `a jump would no longer land on a rule of the file: ${fresh.join('; ')}`,
      'place the rule elsewhere, or declare the whole stack with `rules`',
    );
  return edited;
}

function sameArgs(rule: PamRule, args: readonly string[]): boolean {
  return JSON.stringify(rule.args ?? []) === JSON.stringify(args);
}

/** What the stack does that policy forbids, or that people do not expect. */
function policy(v: V, stack: PamStack): Problem[] {
  const auth = pamOutcomes(stack, 'auth');
  return [
    ...(!auth.empty && !auth.canFail
      ? [
          {
            code: 'pam-admits-everybody',
            severity: 'error' as const,
            message: `the auth rules of ${v.name} let everybody in, whatever the password`,
            help: 'a rule that asks for something, such as pam_unix.so, has to decide',
          },
        ]
      : []),
    ...(['auth', 'account'] as const)
      .filter((type) => pamOutcomes(stack, type).empty)
      .map((type) => ({
        code: 'pam-other-decides',
        severity: 'warning' as const,
        message: `${v.name} has no ${type} rules, so /etc/pam.d/other decides`,
        help: `rules of type ${type}`,
      })),
  ];
}

/** Without a file of its own a service is judged by `other`, which on Debian lets every account in. */
function fallback(v: V, now: State, vendor: string | undefined): Problem[] {
  if (vendor !== undefined) return [];
  const other = textIn([now.other]);
  if (other === undefined || !pamOutcomes(parsePam(other), 'auth').canSucceed) return [];
  return [
    {
      code: 'pam-other-decides',
      severity: 'warning',
      message: `without ${pathOf(v.name)} /etc/pam.d/other decides, and it lets people in`,
      help: 'a stack with pam_deny.so keeps them out',
    },
  ];
}
