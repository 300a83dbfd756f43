// The effective ssh settings for one host, as `ssh -G` prints them: the pure part.

/** What ssh_config says about one host, expanded. `jumps`: in the order they are dialled. `addressFamily` 0 = any. */
export type HostSettings = {
  readonly hostname: string;
  readonly port: number;
  readonly user: string;
  readonly identityFiles: readonly string[];
  readonly certificateFiles: readonly string[];
  readonly identitiesOnly: boolean;
  /** socket of the agent; undefined = none */
  readonly agentSocket: string | undefined;
  readonly jumps: readonly string[];
  readonly proxyCommand: string | undefined;
  readonly knownHostsFiles: readonly string[];
  readonly globalKnownHostsFiles: readonly string[];
  readonly hostKeyAlias: string | undefined;
  readonly hashKnownHosts: boolean;
  /** whether it is `yes`: honoured against a more trusting policy of ours, never the other way */
  readonly strictHostKeyChecking: boolean;
  readonly addressFamily: 0 | 4 | 6;
  readonly bindAddress: string | undefined;
};

export type Env = Readonly<Record<string, string | undefined>>;

/** File names of keys that are tried where nothing else is said. */
export const DEFAULT_KEYS = ['id_ed25519', 'id_ecdsa', 'id_rsa'] as const;

/** Understands the output of `ssh -G`. Later lines never override earlier ones: ssh prints each setting once, lists repeated. */
export function parseHostSettings(output: string, env: Env): HostSettings {
  const values = new Map<string, string[]>();
  for (const line of output.split('\n')) {
    const space = line.indexOf(' ');
    if (space < 0) continue;
    const key = line.slice(0, space).toLowerCase();
    values.set(key, [...(values.get(key) ?? []), line.slice(space + 1).trim()]);
  }
  const one = (key: string): string | undefined => {
    const value = values.get(key)?.[0];
    return value === undefined || value === '' || value === 'none' ? undefined : value;
  };
  // Versions of ssh print the same setting as `yes` and as `true`.
  const yes = (key: string): boolean => ['yes', 'true'].includes(one(key) ?? '');
  const hostname = one('hostname') ?? '';
  const user = one('user') ?? '';
  const port = Number(one('port') ?? 22);
  const expand = (path: string): string => expandTokens(path, {hostname, user, port, env});
  const files = (key: string): readonly string[] =>
    (values.get(key) ?? [])
      .flatMap(splitWords)
      .filter((path) => path !== 'none')
      .map(expand);
  const agent = one('identityagent');
  const family = one('addressfamily');
  return {
    hostname,
    port,
    user,
    identityFiles: (values.get('identityfile') ?? [])
      .map(unquote)
      .filter((path) => path !== 'none')
      .map(expand),
    certificateFiles: (values.get('certificatefile') ?? [])
      .map(unquote)
      .filter((path) => path !== 'none')
      .map(expand),
    identitiesOnly: yes('identitiesonly'),
    agentSocket: agentSocket(values.get('identityagent')?.[0], agent, env, expand),
    jumps: (one('proxyjump') ?? '')
      .split(',')
      .map((jump) => jump.trim())
      .filter((jump) => jump !== ''),
    proxyCommand: one('proxycommand'),
    knownHostsFiles: files('userknownhostsfile'),
    globalKnownHostsFiles: files('globalknownhostsfile'),
    hostKeyAlias: one('hostkeyalias'),
    hashKnownHosts: yes('hashknownhosts'),
    strictHostKeyChecking: yes('stricthostkeychecking'),
    addressFamily: family === 'inet' ? 4 : family === 'inet6' ? 6 : 0,
    bindAddress: one('bindaddress'),
  };
}

function agentSocket(
  raw: string | undefined,
  agent: string | undefined,
  env: Env,
  expand: (path: string) => string,
): string | undefined {
  if (raw === 'none') return undefined;
  if (agent === undefined || agent === 'SSH_AUTH_SOCK') return env.SSH_AUTH_SOCK === '' ? undefined : env.SSH_AUTH_SOCK;
  return agent.startsWith('$') ? env[agent.slice(1).replace(/^\{|\}$/g, '')] : expand(agent);
}

/**
 * Expands `~`, `${VAR}` and the tokens that make sense in our settings.
 * *source*: ssh_config(5), TOKENS.
 */
export function expandTokens(
  text: string,
  about: {
    readonly hostname: string;
    readonly user: string;
    readonly port: number;
    readonly env: Env;
    readonly original?: string;
  },
): string {
  const home = about.env.HOME ?? '/';
  return text
    .replace(/^~(?=\/|$)/, home)
    .replace(/\$\{(\w+)\}/g, (_, name: string) => about.env[name] ?? '')
    .replace(/%(.)/g, (whole, token: string) => {
      const values: Record<string, string> = {
        '%': '%',
        d: home,
        h: about.hostname,
        n: about.original ?? about.hostname,
        p: String(about.port),
        r: about.user,
        u: about.env.USER ?? '',
      };
      return values[token] ?? whole;
    });
}

/** A hop of `ProxyJump`: `[user@]host[:port]` or `ssh://…`. Undefined when it is none. */
export function parseJump(text: string): {user?: string; host: string; port?: number} | undefined {
  const match = /^(?:ssh:\/\/)?(?:([^@]+)@)?(\[[^\]]+\]|[^:@[\]]+)(?::(\d+))?\/?$/.exec(text);
  if (match === null) return undefined;
  const [, user, host = '', port] = match;
  return {
    host: host.replace(/^\[|\]$/g, ''),
    ...(user === undefined ? {} : {user}),
    ...(port === undefined ? {} : {port: Number(port)}),
  };
}

function unquote(text: string): string {
  return /^".*"$/.test(text) ? text.slice(1, -1) : text;
}

function splitWords(text: string): readonly string[] {
  return (text.match(/"[^"]*"|\S+/g) ?? []).map(unquote);
}
