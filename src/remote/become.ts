// Another account on the host. A password goes out only after the program has asked for it, and once: sent ahead it could
// become a command of the shell that needs none.
import {BecomeFailed, LinkLost} from './errors.ts';
import type {ShellLink} from './link.ts';
import type {Become} from './session.ts';
import {visible} from './visible.ts';

/** *units*: ms from the start of the program until it has asked or let us in; and from the password to its verdict. */
const ANSWER_MS = 20_000;

/** Names that mean nothing to any shell; the command below passes through the login shell's quotes. */
const PLAIN_NAME = /^[A-Za-z0-9_][A-Za-z0-9_.@-]*$/;

/**
 * The program that starts a `/bin/sh` as that account, as text for `sh -c`. It holds no single quote, no `!`, no line
 * break: it travels inside single quotes through whatever login shell there is. It says `NONCE from ADDRESS` first and
 * `NONCE up` as the other account.
 * *errors*: throws {@link BecomeFailed} for a name no account has, and for what a method cannot do without a terminal.
 */
export function becomeCommand(become: Become, nonce: string): string {
  const {method, user, password} = become;
  if (!PLAIN_NAME.test(user)) {
    throw new BecomeFailed('no-such-user', `"${visible(user, 100)}" is not a name an account can have`);
  }
  const inner = `/bin/sh -c "echo ${nonce} up; exec /bin/sh"`;
  const first = `LC_ALL=C; LANGUAGE=; PATH=$PATH:/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin; export LC_ALL LANGUAGE PATH; echo ${nonce} from $SSH_CONNECTION; `;
  const missing = `command -v ${method} >/dev/null 2>&1 || { echo ${nonce} missing; exit 127; }; `;
  switch (method) {
    case 'sudo': {
      const how = password === undefined ? '-n' : `-S -p ${nonce}:`;
      return `${first}${missing}exec sudo ${how} -H -u ${user} ${inner}`;
    }
    case 'su':
      return `${first}${missing}exec su ${user} -s /bin/sh -c "echo ${nonce} up; exec /bin/sh"`;
    case 'doas':
      if (password !== undefined) {
        throw new BecomeFailed(
          'tty-required',
          'doas takes a password from a terminal only, and there is none in between',
          noPasswordToDoas,
        );
      }
      return `${first}${missing}exec doas -n -u ${user} ${inner}`;
  }
}

/** doas opens the terminal itself to ask, and a session has none. */
const noPasswordToDoas = 'give the account "permit nopass" in doas.conf, or use "become_method: sudo"';

/**
 * Gets past the question for the password, and gives the link when the shell of the other account is there.
 * *errors*: throws {@link BecomeFailed} or {@link LinkLost}; the link is closed then.
 */
export async function passBecome(
  link: ShellLink,
  become: Become,
  nonce: string,
  name: string,
  onFrom: (address: string) => void = () => undefined,
  answerMs = ANSWER_MS,
): Promise<ShellLink> {
  let out = '';
  let err = '';
  let asked = false;
  let timer: NodeJS.Timeout | undefined;
  const up = `${nonce} up\n`;
  const heard: (() => void)[] = [];
  try {
    await new Promise<void>((resolve, reject) => {
      const patience = (): void => {
        clearTimeout(timer);
        timer = setTimeout(() => {
          reject(
            asked
              ? new BecomeFailed('prompt-timeout', `${name}: ${become.method} got the password and did not answer`)
              : new BecomeFailed(
                  'prompt-timeout',
                  `${name}: ${become.method} neither asked for a password nor went ahead${said(err, nonce)}`,
                  'something else may be waiting for an answer: a second factor, a changed PAM stack, a directory server that does not reply',
                ),
          );
        }, answerMs);
      };
      const onOut = (chunk: Buffer): void => {
        out += chunk.toString('latin1');
        if (out.includes(up)) resolve();
      };
      const onErr = (chunk: Buffer): void => {
        err += chunk.toString('latin1');
        if (!isPrompt(err, become, nonce)) return;
        if (asked || become.password === undefined) {
          reject(become.password === undefined ? passwordRequired(become, name) : wrongPassword(become, name));
          return;
        }
        asked = true;
        err = '';
        link.stdin.write(`${become.password.reveal()}\n`);
        patience();
      };
      link.stdout.on('data', onOut);
      link.stderr.on('data', onErr);
      heard.push(
        () => link.stdout.off('data', onOut),
        () => link.stderr.off('data', onErr),
      );
      void link.closed.then((why) => {
        // now and then a channel ends without a status though the connection stands: what the program has said is better evidence
        const judged = judge(out, err, asked, become, nonce, name, why);
        reject(
          link.lost() && judged.kind === 'other'
            ? new LinkLost(`${name}: connection lost: ${why}`, `${become.method} ${become.user}`)
            : judged,
        );
      });
      patience();
    });
    const from = new RegExp(`${nonce} from (\\S+)`).exec(out)?.[1];
    if (from !== undefined) onFrom(from);
    return link;
  } catch (problem) {
    link.close();
    throw problem;
  } finally {
    clearTimeout(timer);
    for (const off of heard) off();
  }
}

function isPrompt(err: string, become: Become, nonce: string): boolean {
  if (become.method === 'sudo') return err.includes(`${nonce}:`);
  return /(?:^|\n)[^\n]*password[^\n]*: ?$/i.test(err);
}

function said(err: string, nonce: string): string {
  const text = visible(err.replaceAll(`${nonce}:`, ''), 500);
  return text === '' ? '' : `; it said: ${text}`;
}

function wrongPassword({method, user}: Become, name: string): BecomeFailed {
  return new BecomeFailed(
    'wrong-password',
    `${name}: ${method} refused the password for becoming ${user}`,
    method === 'sudo'
      ? 'sudo asks for the password of the login user, not of the account it becomes'
      : `su asks for the password of ${user}`,
  );
}

function passwordRequired({method, user}: Become, name: string): BecomeFailed {
  return new BecomeFailed(
    'password-required',
    `${name}: ${method} wants a password for becoming ${user}`,
    method === 'doas' ? noPasswordToDoas : 'set ansible_become_password (from a vault), or run with --ask-become-pass',
  );
}

/** Why the program ended without letting us in, from what it said (in the C locale). */
function judge(
  out: string,
  err: string,
  asked: boolean,
  become: Become,
  nonce: string,
  name: string,
  why: string,
): BecomeFailed {
  const {method, user} = become;
  const text = err.replaceAll(`${nonce}:`, '');
  if (out.includes(`${nonce} missing`)) {
    return new BecomeFailed(
      'missing',
      `${name}: there is no ${method} on this host`,
      'log in as the account itself, or install it',
    );
  }
  if (
    /must have a tty|no tty present|a terminal is required|must be run from a terminal|a tty is required/i.test(text)
  ) {
    // Without a way to ask, sudo says this too when it has no password: then the password is what is missing.
    if (become.password === undefined && !/must have a tty|must be run from a terminal/i.test(text))
      return passwordRequired(become, name);
    return new BecomeFailed(
      'tty-required',
      `${name}: ${method} insists on a terminal`,
      `remove "requiretty" for this account in sudoers`,
    );
  }
  if (/unknown user|user .* does not exist|no passwd entry|unknown login|invalid user/i.test(text)) {
    return new BecomeFailed('no-such-user', `${name}: there is no account "${user}" on this host`);
  }
  if (/a password is required|password required|auth(?:oriz|entic)ation required/i.test(text) && !asked)
    return passwordRequired(become, name);
  if (/not in the sudoers|is not allowed to|may not run sudo|not permitted|permission denied/i.test(text)) {
    return new BecomeFailed(
      'not-allowed',
      `${name}: ${method} does not allow this account to become ${user}${said(text, nonce)}`,
    );
  }
  if (asked && /try again|incorrect password|authentication failure|no password was provided/i.test(text))
    return wrongPassword(become, name);
  return new BecomeFailed('other', `${name}: ${method} did not let us become ${user}: ${why}${said(text, nonce)}`);
}
