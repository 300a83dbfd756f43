/** Where in the parameters: `/users/0/realm`. *source*: RFC 6901. */
export type JsonPointer = string;

/**
 * What a module finds wrong: with its parameters (`check`), with the host (`refuse`) or with a policy (`findings`).
 * `code` is stable kebab-case; severity defaults to error.
 */
export type Problem = {
  readonly code: string;
  readonly message: string;
  readonly param?: JsonPointer;
  readonly help?: string;
  readonly severity?: 'error' | 'warning';
};
