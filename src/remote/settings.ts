// What all transports of a run share. Nothing here is taken from the process: the command line hands it in.
import type {Ambient} from './link.ts';

/**
 * `env`: the variables that count (HOME, USER, PATH, SSH_AUTH_SOCK, …). `atExit`: shell text that each session's shell
 * runs when it ends, however it ends. `log` takes lines for `-vv` (level 2) and `-vvv` (level 3); they hold no secret.
 */
export type Settings = {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly ambient: Ambient;
  readonly atExit: string;
  /** whether anybody wants the level 3 lines: they cost a little for each packet */
  readonly trace: boolean;
  readonly log: (level: 2 | 3, message: string) => void;
};
