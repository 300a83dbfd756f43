// What a host says is shown, never obeyed: control characters could rewrite the terminal.

/** Text from a host as one safe line: control characters escaped, at most `maxBytes` of its end. */
export function visible(bytes: Uint8Array | string, maxBytes: number): string {
  const text = typeof bytes === 'string' ? bytes : Buffer.from(bytes).toString('utf8');
  const short = text.trim().length > maxBytes ? `…${text.trim().slice(-maxBytes)}` : text.trim();

  return short.replace(/[\u0000-\u001f\u007f-\u009f]/g, (c) => {
    if (c === '\n') return ' / ';
    return c === '\t' ? ' ' : `\\x${c.charCodeAt(0).toString(16).padStart(2, '0')}`;
  });
}
