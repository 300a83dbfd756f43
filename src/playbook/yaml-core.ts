// What a plain scalar means: the YAML 1.2 core schema (section 10.3.2), in which `no` is text and `0644` is the number 644.

/** The value of a plain (unquoted) scalar. *source*: YAML 1.2.2, section 10.3.2. */
export function resolvePlain(text: string): null | boolean | number | string {
  switch (text) {
    case '':
    case '~':
    case 'null':
    case 'Null':
    case 'NULL':
      return null;
    case 'true':
    case 'True':
    case 'TRUE':
      return true;
    case 'false':
    case 'False':
    case 'FALSE':
      return false;
  }
  const first = text.charCodeAt(0);
  const numeric = (first >= 48 && first <= 57) || first === 43 || first === 45 || first === 46;
  if (!numeric) return text;
  if (/^[-+]?\d+$/.test(text) || /^0o[0-7]+$/.test(text) || /^0x[\da-fA-F]+$/.test(text)) return Number(text);
  if (/^[-+]?(?:\.\d+|\d+(?:\.\d*)?)(?:[eE][-+]?\d+)?$/.test(text)) return Number(text);
  if (/^[-+]?\.(?:inf|Inf|INF)$/.test(text)) return text.startsWith('-') ? -Infinity : Infinity;
  return /^\.(?:nan|NaN|NAN)$/.test(text) ? NaN : text;
}

/** Whether the text of a number is written as a float (`1.0`, `1e3`), so that its kind survives templates. */
export function isFloatText(raw: string): boolean {
  return !/^0[xo]/.test(raw) && /[.eE]/.test(raw);
}

/** The value of a scalar that carries one of YAML's own tags (`!!str`, `!!int`, …); undefined if the text does not fit the tag. */
export function resolveTagged(tag: string, text: string): null | boolean | number | string | undefined {
  if (tag === '!!str' || tag === '!') return text;
  const value = resolvePlain(text);
  switch (tag) {
    case '!!null':
      return value === null ? null : undefined;
    case '!!bool':
      if (typeof value === 'boolean') return value;
      return /^(?:yes|on)$/i.test(text) ? true : /^(?:no|off)$/i.test(text) ? false : undefined;
    case '!!int':
      return Number.isInteger(value) ? value : undefined;
    case '!!float':
      return typeof value === 'number' ? value : undefined;
    case '!!binary':
      return decodeBase64(text);
    default:
      return undefined;
  }
}

function decodeBase64(text: string): string | undefined {
  const compact = text.replace(/\s+/g, '');
  if (!/^[A-Za-z0-9+/]*={0,2}$/.test(compact) || compact.length % 4 !== 0) return undefined;
  const bytes = Uint8Array.from(atob(compact), (c) => c.charCodeAt(0));
  return new TextDecoder().decode(bytes);
}
