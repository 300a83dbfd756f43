/** The host could not be reached or would not let us in. `kind` is stable for tests and scripts; `help` says what to do. */
export class Unreachable extends Error {
  override readonly name = 'Unreachable';
  readonly kind:
    | 'refused'
    | 'timeout'
    | 'no-such-host'
    | 'auth'
    | 'host-key-changed'
    | 'host-key-unknown'
    | 'host-key-revoked'
    | 'jump'
    | 'protocol'
    | 'no-shell'
    | 'other';
  readonly help: string | undefined;

  constructor(kind: Unreachable['kind'], message: string, help?: string) {
    super(message);
    this.kind = kind;
    this.help = help;
  }
}

/** The connection ended in the middle of an exchange: what had been started may or may not have happened. */
export class LinkLost extends Error {
  override readonly name = 'LinkLost';
  /** label of the fragment whose reply was awaited */
  readonly during: string;

  constructor(message: string, during: string) {
    super(message);
    this.during = during;
  }
}

/** The other account could not be had. */
export class BecomeFailed extends Error {
  override readonly name = 'BecomeFailed';
  readonly kind:
    | 'wrong-password'
    | 'password-required'
    | 'not-allowed'
    | 'tty-required'
    | 'prompt-timeout'
    | 'no-such-user'
    | 'missing'
    | 'other';
  readonly help: string | undefined;

  constructor(kind: BecomeFailed['kind'], message: string, help?: string) {
    super(message);
    this.kind = kind;
    this.help = help;
  }
}

/** A host's shell answered something that no batch produces: a bug, or a host that meddles. */
export class BrokenFraming extends Error {
  override readonly name = 'BrokenFraming';
}
