import {Secret} from '../base/secret.ts';
import {Unknown} from '../base/unknown.ts';
import {Unreachable} from '../remote/errors.ts';
import {isTrue} from '../engine/known.ts';
import type {Node} from '../playbook/node.ts';
import type {Play, Task} from '../playbook/program.ts';
import type {Scope} from '../playbook/scope.ts';
import {splitWords} from '../formats/shell-words.ts';
import type {Become, Target} from '../remote/session.ts';

/** What the command line says of connections; it counts below the inventory's variables, as with Ansible. */
export type ConnectionOptions = {
  readonly user: string | undefined;
  readonly privateKey: string | undefined;
  readonly password: Secret | undefined;
  readonly passphrase: Secret | undefined;
  readonly transport: string | undefined;
  readonly become: boolean;
  readonly becomeUser: string | undefined;
  readonly becomeMethod: string | undefined;
  readonly becomePassword: Secret | undefined;
  readonly timeoutMs: number;
};

/** How a host is reached, from its variables. *source*: Ansible's connection variables. */
export function targetOf(host: {readonly name: string}, scope: Scope, options: ConnectionOptions): Target {
  const text = (...names: string[]): string | undefined => {
    const found = variable(scope, names);
    return found === undefined ? undefined : found instanceof Secret ? found.reveal() : String(found);
  };
  const secret = (...names: string[]): Secret | undefined => {
    const found = text(...names);
    return found === undefined ? undefined : Secret.of(found);
  };
  const connection = text('ansible_connection') ?? options.transport ?? (host.name === 'localhost' ? 'local' : 'ssh');
  const port = text('ansible_port', 'ansible_ssh_port');
  const user = text('ansible_user', 'ansible_ssh_user') ?? options.user;
  const key = text('ansible_ssh_private_key_file', 'ansible_private_key_file') ?? options.privateKey;
  const password = secret('ansible_password', 'ansible_ssh_pass', 'ansible_ssh_password') ?? options.password;
  const passphrase = secret('ansible_ssh_private_key_passphrase') ?? options.passphrase;
  return {
    host: host.name,
    transport: connection === 'local' ? 'local' : connection === 'openssh' ? 'openssh' : 'ssh',
    address: text('ansible_host', 'ansible_ssh_host') ?? host.name,
    ...(port === undefined ? {} : {port: Number(port)}),
    ...(user === undefined ? {} : {user}),
    ...(key === undefined ? {} : {privateKeyFile: key}),
    ...(password === undefined ? {} : {password}),
    ...(passphrase === undefined ? {} : {passphrase}),
    sshArgs: [text('ansible_ssh_common_args'), text('ansible_ssh_extra_args')].flatMap((words) =>
      words === undefined ? [] : (splitWords(words) ?? []),
    ),
    timeoutMs: options.timeoutMs,
  };
}

/** The first of these variables that the host has. Before the first connection any undefined `ansible_X` may be a fact; connections have to do without. */
function variable(scope: Scope, names: readonly string[]): unknown {
  for (const name of names) {
    const found = scope.lookup(name);
    if (found?.ok === false)
      throw new Unreachable(
        'other',
        found.problems.map((problem) => problem.message).join('; '),
        found.problems[0].help,
      );
    if (found?.ok === true && found.value !== undefined && found.value !== null && !(found.value instanceof Unknown))
      return found.value;
  }
  return undefined;
}

/** Which account a task works as: its keyword, else the host's variables, else the command line. undefined = the login user. */
export function becomeOf(
  task: Task | undefined,
  play: Play | undefined,
  scope: Scope,
  options: ConnectionOptions,
): Become | undefined | {readonly problem: string} {
  const keywords = task?.keywords ?? play?.keywords;
  const evaluated = (node: Node | undefined): unknown => {
    if (node === undefined) return undefined;
    const value = scope.evaluate(node);
    return value.ok ? value.value : undefined;
  };
  const wanted = variable(scope, ['ansible_become']) ?? evaluated(keywords?.become) ?? options.become;
  if (!isTrue(wanted)) return undefined;
  const user = String(
    variable(scope, ['ansible_become_user']) ?? evaluated(keywords?.becomeUser) ?? options.becomeUser ?? 'root',
  );
  const method = String(
    variable(scope, ['ansible_become_method']) ?? evaluated(keywords?.becomeMethod) ?? options.becomeMethod ?? 'sudo',
  ).replace(/^.*\./, '');
  if (method !== 'sudo' && method !== 'su' && method !== 'doas')
    return {problem: `become method ${method} is not known; there are sudo, su and doas`};
  const given = variable(scope, ['ansible_become_password', 'ansible_become_pass', 'ansible_sudo_pass']);
  const password =
    given instanceof Secret ? given : given === undefined ? options.becomePassword : Secret.of(String(given));
  return {method, user, ...(password === undefined ? {} : {password})};
}
