/** A row as the driver gives it: timestamps are dates, jsonb is parsed. */
export type Row = Readonly<Record<string, unknown>>;

/** Where statements go: the database itself, or one transaction on it. Placeholders are `$1`. */
export type Statements = {
  readonly query: (text: string, values?: readonly unknown[]) => Promise<readonly Row[]>;
};

/**
 * What the service needs of a database. PostgreSQL and the embedded PGlite both are one; nothing above this file knows which.
 * `backend` is what pg-boss calls it.
 */
export type Database = Statements & {
  readonly backend: 'postgres' | 'pglite';
  /** whether other controllers may work on it at the same time */
  readonly shared: boolean;
  /** who and where, without a password: for messages */
  readonly name: string;
  /** Runs work in a transaction; an error rolls it back. */
  readonly transaction: <T>(work: (tx: Statements) => Promise<T>) => Promise<T>;
  /** text without parameters, several statements: as pg-boss installs its tables */
  readonly script: (text: string) => Promise<readonly Row[]>;
  readonly close: () => Promise<void>;
};

/** The database cannot be used; `help` says what to do. */
export class DatabaseUnusable extends Error {
  override readonly name = 'DatabaseUnusable';
  readonly help: string | undefined;

  constructor(message: string, help?: string) {
    super(message);
    this.help = help;
  }
}
