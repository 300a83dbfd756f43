/*
 * The forms in which a secret comes back in texts that were made from it. Base64 depends on where in the encoded text the secret
 * stood: for each of the three alignments only those characters are taken that its bytes alone decide.
 */

/** No form shorter than this is looked for: it would hit by chance. *units*: UTF-16 units. */
const SHORTEST_FORM = 4;

/** The secret itself and its encodings: base64 (three alignments, both alphabets), URL, shell quotes, JSON, XML, hexadecimal. */
export function disguisesOf(secret: string): Set<string> {
  const forms = new Set([secret]);
  const add = (form: string): void => {
    if (form.length >= SHORTEST_FORM) forms.add(form);
  };
  const bytes = Buffer.from(secret, 'utf8');
  for (const core of base64Cores(bytes)) {
    add(core);
    add(core.replaceAll('+', '-').replaceAll('/', '_'));
  }
  const hex = bytes.toString('hex');
  add(hex);
  add(hex.toUpperCase());
  const json = JSON.stringify(secret).slice(1, -1);
  add(json);
  add(json.replace(/[\u0080-\uffff]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`));
  add(secret.replaceAll('/', '\\/'));
  for (const url of urlForms(secret)) add(url);
  for (const xml of xmlForms(secret)) add(xml);
  add(secret.replaceAll("'", "'\\''"));
  add(secret.replaceAll("'", `'"'"'`));
  add(secret.replace(/["$`\\]/g, '\\$&'));
  add(secret.replace(/[^A-Za-z0-9_\-.,:/@\n+=%]/g, '\\$&'));
  add(secret.replaceAll('\\', '\\\\').replaceAll("'", "\\'").replaceAll('\n', '\\n'));
  return forms;
}

function base64Cores(bytes: Buffer): string[] {
  return [0, 1, 2].map((shift) => {
    const text = Buffer.concat([Buffer.alloc(shift), bytes]).toString('base64');
    const bits = (shift + bytes.length) * 8;
    return text.slice(Math.ceil((shift * 8) / 6), Math.floor(bits / 6));
  });
}

function urlForms(secret: string): string[] {
  if (!secret.isWellFormed()) return [];
  const component = encodeURIComponent(secret);
  const strict = component.replace(/[!'()*~]/g, (sign) => `%${sign.charCodeAt(0).toString(16).toUpperCase()}`);
  const lower = (text: string): string => text.replace(/%[0-9A-F]{2}/g, (code) => code.toLowerCase());
  const form = new URLSearchParams({'': secret}).toString().slice(1);
  return [component, strict, encodeURI(secret), form, lower(component), lower(strict), lower(form)];
}

function xmlForms(secret: string): string[] {
  const base = secret.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
  const quoted = base.replaceAll('"', '&quot;');
  return [
    base,
    secret.replaceAll('&', '&amp;').replaceAll('<', '&lt;'),
    secret.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('"', '&quot;'),
    quoted,
    base.replaceAll("'", '&apos;'),
    quoted.replaceAll("'", '&apos;'),
    quoted.replaceAll("'", '&#39;'),
    quoted.replaceAll("'", '&#x27;'),
  ];
}
