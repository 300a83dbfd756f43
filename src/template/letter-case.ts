// Upper and lower case as Python's str methods make them.

/** First letter upper, the rest lower. */
export function capitalized(text: string): string {
  const [first = '', ...rest] = Array.from(text);
  return first.toUpperCase() + rest.join('').toLowerCase();
}

/** Every run of letters begins with an upper case letter (`str.title`). */
export function titled(text: string): string {
  return text.replaceAll(/\p{L}+/gu, capitalized);
}

/** Upper becomes lower and the other way round. */
export function swapped(text: string): string {
  return Array.from(text, (char) => (char === char.toLowerCase() ? char.toUpperCase() : char.toLowerCase())).join('');
}
