import type {Result} from '../base/result.ts';
import type {Node} from './node.ts';

/**
 * The variables as one task on one host sees them: lazily resolved by Ansible's precedence (docs/variables.md), each value a template
 * evaluated on first use in this very scope. Evaluation is pure and synchronous, except that lookups may read controller files.
 */
export type Scope = {
  /**
   * Evaluates a YAML value: every template in it rendered with native types, vault values decrypted to Secrets. The result is data with Secret,
   * Unknown and (for `omit`) missing keys already removed from mappings. Errors are located in the YAML source.
   */
  evaluate(node: Node): Result<unknown>;
  /** Evaluates a bare expression as `when` and `until` have it (a string without braces, or a boolean): the raw value. */
  evaluateExpression(node: Node): Result<unknown>;
  /** The value of one variable. `undefined` = no such variable. */
  lookup(name: string): Result<unknown> | undefined;
  /** Renders a controller file as a template (module `template`): text with secret ranges. */
  renderFile(path: string): Result<string | import('../base/secret.ts').Secret>;
  /** Drops memoised values: the host has learnt something (facts, a registered result) since they were evaluated. */
  forget(): void;
  /** A scope inside this one: loop variables, task vars. Values are data, not templates. */
  with(values: Readonly<Record<string, unknown>>): Scope;
};

/** What a host has learnt in the run so far; the engine owns and changes it, scopes read it. */
export type HostMemory = {
  /** facts without the `ansible_` prefix; Unknown before the first connection */
  facts: Record<string, unknown>;
  /** set_fact and add_host/group_by values: high precedence */
  setFacts: Map<string, unknown>;
  /** register */
  registered: Map<string, unknown>;
  /** include_vars */
  includedVars: Map<string, Node | {readonly data: unknown}>;
};
