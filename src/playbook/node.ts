import type {Secret} from '../base/secret.ts';
import type {Span} from '../base/diagnostic.ts';

/**
 * YAML as the user wrote it, with places. Scalars are resolved by the YAML 1.2 core schema; `raw` is the text before that, so that
 * `0644` and `no` can be told from what they were meant to be.
 */
export type Node = ScalarNode | ListNode | MapNode;

export type ScalarNode = {
  readonly kind: 'scalar';
  /** `!vault` gives a Secret (decrypted on use, see VaultValue) */
  readonly value: null | boolean | number | string | Secret | VaultValue;
  readonly raw: string;
  readonly style: 'plain' | 'single' | 'double' | 'block';
  readonly tag?: string;
  readonly span: Span;
};
export type ListNode = {readonly kind: 'list'; readonly items: readonly Node[]; readonly span: Span};
export type MapNode = {readonly kind: 'map'; readonly entries: readonly Entry[]; readonly span: Span};
export type Entry = {readonly key: string; readonly keySpan: Span; readonly value: Node};

/** A `!vault` value, still encrypted: decrypted only where it is used, so that hosts which are not targeted cost nothing. */
export type VaultValue = {readonly vault: string};

export function isVaultValue(value: unknown): value is VaultValue {
  return value !== null && typeof value === 'object' && 'vault' in value;
}

/** The entry's value under a key of a mapping. */
export function child(node: Node | undefined, key: string): Node | undefined {
  return node?.kind === 'map' ? node.entries.find((entry) => entry.key === key)?.value : undefined;
}
