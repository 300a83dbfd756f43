// Where a module's parameters are not Ansible's: those that are refused by name, and those that are taken with another meaning. A test holds this
// table to what ansible-doc says of every module, so that nothing is left undecided; docs/ansible-parameters.md is made from it.

/** A parameter that is not taken. `harmless`: values that mean what happens anyway, and pass. */
export type RefusedParam = {readonly why: string; readonly help: string; readonly harmless?: readonly unknown[]};

const only = (system: string): RefusedParam => ({
  why: `it has a meaning on ${system} only`,
  help: 'leave it out',
});
const labelsOfMany = (name: string): RefusedParam => ({
  why: 'it would be set on every file of the archive',
  help: `\`file\` with ${name} for the paths that need it, behind this task`,
});

/** By module and parameter. */
export const refusedParams: Readonly<Record<string, Readonly<Record<string, RefusedParam>>>> = {
  get_url: {
    unredirected_headers: {
      why: 'curl sends `Authorization` and `Cookie` to the first host only, and every other header everywhere',
      help: 'name the URL that it redirects to',
      harmless: [[]],
    },
    use_gssapi: {
      why: 'Kerberos tickets are not used',
      help: 'use `url_username` and `url_password`',
      harmless: [false],
    },
  },
  unarchive: {
    attributes: labelsOfMany('attributes'),
    seuser: labelsOfMany('seuser'),
    serole: labelsOfMany('serole'),
    setype: labelsOfMany('setype'),
    selevel: labelsOfMany('selevel'),
  },
  user: {
    authorization: only('Solaris'),
    profile: only('Solaris'),
    role: only('Solaris'),
    hidden: only('macOS'),
    login_class: only('the BSDs'),
    seuser: {why: "an account's SELinux user is not managed", help: '`command: semanage login -a -s USER NAME`'},
    umask: {
      why: "useradd's mask for a new home is the host's own setting",
      help: '`file` with `path: HOME` and `mode`, behind this task',
    },
  },
  wait_for: {
    exclude_hosts: {
      why: 'every connection counts',
      help: 'wait with `shell`, `until` and `retries` for what ss shows',
      harmless: [[]],
    },
  },
  dnf: {
    conf_file: {why: "dnf's own configuration is used", help: '`command: dnf -c FILE …`'},
    disable_excludes: {
      why: "exclusions of dnf's configuration are heeded",
      help: '`command: dnf --disableexcludes=… …`',
    },
    download_dir: {why: 'packages are installed, not only downloaded', help: '`command: dnf download --destdir=DIR …`'},
    releasever: {why: 'the release of the host is used', help: '`command: dnf --releasever=… …`'},
    cacheonly: {why: 'the package manager decides', help: '`command: dnf -C …`', harmless: [false]},
    update_only: {why: 'it is called `only_upgrade` here', help: 'only_upgrade: true', harmless: [false]},
    install_weak_deps: {
      why: 'it is called `install_recommends` here',
      help: 'install_recommends: false',
      harmless: [true],
    },
    install_repoquery: {why: 'nothing is queried with it', help: 'leave it out', harmless: [true, false]},
  },
  zypper: {
    allow_vendor_change: {why: 'the vendor stays', help: 'extra_args: --allow-vendor-change', harmless: [false]},
    clean_deps: {why: 'it is called `autoremove` here', help: 'autoremove: true', harmless: [false]},
    force_resolution: {
      why: 'conflicts are not solved by force',
      help: 'extra_args: --force-resolution',
      harmless: [false],
    },
    replacefiles: {
      why: 'files of other packages are not replaced',
      help: 'extra_args: --replacefiles',
      harmless: [false],
    },
    extra_args_precommand: {why: "zypper's global options are fixed", help: '`command: zypper OPTIONS install …`'},
  },
};

/** By module and parameter: what is otherwise, in a sentence. */
export const differentParams: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  '*': {
    backup:
      'every replaced file is kept below /var/lib/tsplay/backup, whatever it says; `tsplay rollback` brings it back',
  },
  apt: {
    update_cache_retries: 'apt-get is asked once',
    cache_valid_time: 'nothing said: refreshed wherever something is installed',
  },
  assert: {that: 'one condition or a list'},
  dnf: {
    name: 'may be left out with `update_cache` or `autoremove`',
    lock_timeout: '60 s',
  },
  get_url: {
    timeout: '300 s, for the whole of it, not for single answers',
    http_agent: "curl's or wget's own",
    force_basic_auth: 'a login is sent with the first request anyway',
    tmp_dest: 'it is fetched beside its place',
    use_netrc: 'of the account that fetches',
  },
  systemd: {scope: '`system` only; user managers by `command: systemctl --user`'},
  script: {cmd: 'needed: it is the free form too'},
  shell: {executable: '/bin/sh'},
  raw: {executable: '/bin/sh'},
  timezone: {name: 'needed: `hwclock` is not supported', hwclock: 'not supported'},
  hostname: {use: "whatever it says, the host's own way is used"},
  blockinfile: {insertafter: 'any Python expression, or EOF', insertbefore: 'any Python expression, or BOF'},
  include_vars: {
    hash_behaviour: '`replace` only; for merging: `set_fact` with the filter `combine`',
    ignore_unknown_extensions: 'files with another ending are passed over',
  },
  lineinfile: {insertafter: 'any Python expression, or EOF', insertbefore: 'any Python expression, or BOF'},
  package: {
    name: 'may be left out with `update_cache`',
    state: '`present` where nothing is said',
    use: "whatever it says, the host's own package manager is used",
  },
  pause: {echo: 'what is typed is not shown'},
  reboot: {
    msg: 'Reboot initiated by tsplay',
    test_command: '`true`: that we can log in is the proof',
    boot_time_command: 'the boot id and the start of process 1 tell one boot from another',
    search_paths: "the host's PATH is fixed",
    reboot_command: 'shutdown, systemctl or reboot, whichever works',
    connect_timeout: '`--timeout` says it',
  },
  service: {
    name: 'may be left out with `daemon_reload`',
    pattern: 'systemd knows what runs',
    runlevel: 'systemd has none',
    arguments: 'systemd takes none',
    use: 'systemd',
  },
  set_fact: {cacheable: 'facts set here live as long as the run'},
  setup: {
    gather_subset: 'only facts that are used are read',
    gather_timeout: '`timeout:` of the task limits it',
    fact_path: '/etc/ansible/facts.d',
  },
  wait_for: {active_connection_states: 'every connection counts'},
  wait_for_connection: {connect_timeout: '`--timeout` says it'},
  zypper: {
    name: 'may be left out with `update_cache`',
    state: 'dist-upgrade is `upgrade: dist`',
    type: 'packages only; patches and patterns by `command: zypper`',
  },
};

/** Why a parameter of Ansible's is not taken by a module; undefined where it is not known either, or the value is harmless. */
export function refusedParam(module: string, name: string): RefusedParam | undefined {
  const own = Object.hasOwn(refusedParams, module) ? refusedParams[module] : undefined;
  return own !== undefined && Object.hasOwn(own, name) ? own[name] : undefined;
}

const words: Readonly<Record<string, boolean>> = {yes: true, true: true, on: true, no: false, false: false, off: false};

/** Whether a value of a refused parameter asks for nothing: it was left out, or says what happens anyway. */
export function isHarmless(refused: RefusedParam, value: unknown): boolean {
  if (value === null || value === undefined) return true;
  const word = typeof value === 'string' ? value.toLowerCase() : '';
  const plain = Object.hasOwn(words, word) ? words[word] : value;
  return refused.harmless?.some((one) => JSON.stringify(one) === JSON.stringify(plain)) === true;
}

/** The page of the documentation. */
export function differencesPage(): string {
  const rows = (table: Readonly<Record<string, string>>): string[] =>
    Object.entries(table).map(([name, text]) => `| \`${name}\` | ${text.replaceAll('|', '\\|')} |`);
  const named = (key: string): string => (key === '*' ? 'All modules' : `\`${key}\``);
  return [
    '# Parameters that differ from Ansible',
    '',
    'Modules that Ansible has too take its parameters, aliases, choices and defaults. What is otherwise stands here, and nowhere else:',
    'a test compares every module with `ansible-doc`. A refused parameter is a mistake that is found before any connection, unless its value asks for what happens anyway.',
    '',
    '## Refused',
    '',
    ...Object.entries(refusedParams).flatMap(([module, table]) => [
      `### ${named(module)}`,
      '',
      '| parameter | why | instead |',
      '|---|---|---|',
      ...Object.entries(table).map(([name, {why, help}]) => `| \`${name}\` | ${why} | ${help} |`),
      '',
    ]),
    '## Taken, with another meaning or default',
    '',
    ...Object.entries(differentParams).flatMap(([module, table]) => [
      `### ${named(module)}`,
      '',
      '| parameter | here |',
      '|---|---|',
      ...rows(table),
      '',
    ]),
  ]
    .join('\n')
    .trimEnd()
    .concat('\n');
}
