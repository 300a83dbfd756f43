/** A list with at least one element: "what changes" and "what is wrong" are never empty answers. */
export type NonEmpty<T> = readonly [T, ...T[]];

/** Narrows a list to a {@link NonEmpty}; false for the empty list. */
export function isNonEmpty<T>(list: readonly T[]): list is NonEmpty<T> {
  return list.length > 0;
}
