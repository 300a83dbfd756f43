import type {Json} from '../base/json.ts';
import type {NonEmpty} from '../base/nonempty.ts';
import type {Secret} from '../base/secret.ts';
import type {Key} from './key.ts';

/** A file on the controller whose bytes are to travel. *units*: `sizeBytes` bytes; `sha256` hex. */
export type Blob = {readonly blob: string; readonly sha256: string; readonly sizeBytes: number};

/**
 * Content that is made only when it is applied, on the controller. `x509-server`: spec {@link X509Spec}; parts of one `id` are made together,
 * so that key and certificate match.
 */
export type Generated = {readonly generate: 'x509-server'; readonly spec: X509Spec};
export type X509Spec = {
  readonly id: string;
  readonly part: 'ca' | 'certificate' | 'key';
  readonly caCert: string;
  readonly caKey: string;
  readonly names: readonly string[];
  readonly validDays: number;
};
export type Content = string | Uint8Array | Secret | Blob | Generated;

/** A command's words. `{candidate: true}` stands for the not yet installed file of a `validate`. Never a Secret: argv is visible in `ps`. */
export type Argv = NonEmpty<string | {readonly candidate: true}>;

type Common = {
  /** reads of these keys are repeated just before the op; it stops if they have changed since the plan */
  readonly sees?: readonly Key[];
  /** what the op changes besides what its kind says */
  readonly affects?: readonly Key[];
  /** what may come into being (files of a package): of these keys only what is absent now is uncertain afterwards */
  readonly creates?: readonly Key[];
  /** what later reads of these keys will see */
  readonly predicts?: readonly {readonly key: Key; readonly value: unknown}[];
};

/** Permission bits as an octal string without prefix (`0644`, `4755`). */
export type Mode = string;

export type WriteOp = {
  readonly op: 'write';
  readonly path: string;
  readonly content: Content;
  readonly mode?: Mode;
  readonly owner?: string;
  readonly group?: string;
  /** run on the candidate; exit 0 or the file is not installed */
  readonly validate?: Argv;
  /** write through a symlink instead of refusing it */
  readonly follow?: true;
  /** do not keep a copy below /var/lib/tsplay/backup (content that must not stay: key material) */
  readonly noBackup?: true;
};
export type RunOp = {
  readonly op: 'run';
  readonly argv: Argv;
  /** text handed to the command; the only way for a secret */
  readonly stdin?: string | Secret;
  /** POSIX shell text (with `argv[0]` the shell) comes as `['/bin/sh', '-c', text]`; a secret in it goes here instead and travels over stdin of the outer shell */
  readonly script?: string | Secret;
  readonly chdir?: string;
  readonly environment?: Readonly<Record<string, string | Secret>>;
  /** exit statuses that mean success, default [0]; 'any' where the module judges */
  readonly accepts?: readonly number[] | 'any';
  readonly timeoutMs?: number;
  /** the reply is handed to `result` (registered stdout and so on) */
  readonly output?: true;
};
/** One change on a host, as data. The engine (and only it) knows how to carry it out; see `src/remote/lower.ts`. */
export type PlainOp = Common &
  (
    | WriteOp
    | RunOp
    | {
        readonly op: 'mkdir';
        readonly path: string;
        readonly mode?: Mode;
        readonly owner?: string;
        readonly group?: string;
        readonly parents?: true;
      }
    | {
        readonly op: 'link';
        readonly path: string;
        readonly target: string;
        readonly hard?: true;
        readonly replace?: true;
      }
    | {readonly op: 'chmod'; readonly path: string; readonly mode: Mode; readonly follow?: true}
    | {
        readonly op: 'chown';
        readonly path: string;
        readonly owner?: string;
        readonly group?: string;
        readonly follow?: true;
      }
    | {readonly op: 'remove'; readonly path: string; readonly recurse?: true}
    | {
        readonly op: 'touch';
        readonly path: string;
        readonly mode?: Mode;
        readonly owner?: string;
        readonly group?: string;
      }
  );

/**
 * Ops that could shut the administrator out. They run with a timer on the host that runs `undo` (and brings back the files named in `restores`
 * and the given units' service state) unless a fresh login over a new connection succeeds within `withinMs`.
 */
export type GuardedOp = Common & {
  readonly op: 'guarded';
  readonly ops: NonEmpty<PlainOp>;
  /** files put back as they were (content, owner, mode, or absent) */
  readonly restores: readonly string[];
  /** units that shall run, or not, as they do now */
  readonly units?: readonly string[];
  /** commands run after the files are back, such as a reload */
  readonly undo: readonly RunOp[];
  readonly confirm: 'login' | 'login+become';
  readonly withinMs: number;
};
export type Op = PlainOp | GuardedOp;

/** Where an op's spec travels as JSON (saved plans); kept here so that the shape is known to be data. */
export type OpSpec = Json;
