/*
 * What the header of a LUKS container says: the text of `cryptsetup luksDump` for both versions, and for LUKS2 also the JSON of
 * `--dump-json-metadata`, which is exact about keyslots and segments but knows neither UUID nor label.
 * source: cryptsetup-luksDump(8), LUKS1 and LUKS2 on-disk format specifications; checked against cryptsetup 2.6.
 */
import {error} from '../base/diagnostic.ts';
import {isMapping} from '../base/json.ts';
import {bad, ok} from '../base/result.ts';
import type {Result} from '../base/result.ts';

/** How a passphrase becomes the key of a slot. */
export type LuksPbkdf =
  | {readonly algorithm: 'pbkdf2'; readonly hash: string | undefined; readonly iterations: number}
  | {
      readonly algorithm: 'argon2i' | 'argon2id';
      /** passes over the memory */ readonly time: number;
      readonly memoryKib: number;
      readonly cpus: number;
    };

/** A keyslot in use. */
export type LuksKeyslot = {
  readonly slot: number;
  readonly pbkdf: LuksPbkdf;
  /** of the key in it: the volume key's size, of another key while re-encrypting */ readonly keySizeBits: number;
  /** hash of the anti-forensic splitter */ readonly afHash: string | undefined;
};

/** A stretch of the device. `sizeBytes` is `dynamic` where it reaches to the end. */
export type LuksSegment = {
  readonly offsetBytes: number;
  readonly sizeBytes: number | 'dynamic';
  readonly cipher: string;
  readonly sectorBytes: number;
};

/** A header. `cipher` as for `--cipher`: `aes-xts-plain64`; `hash` as for `--hash`, judged by the digest of the volume key. */
export type LuksHeader = {
  readonly version: 1 | 2;
  readonly uuid: string;
  readonly label: string | undefined;
  readonly subsystem: string | undefined;
  readonly flags: readonly string[];
  /** such as `online-reencrypt`: the container is in a state that older programs must not touch */ readonly requirements: readonly string[];
  readonly cipher: string;
  readonly keySizeBits: number;
  readonly hash: string;
  readonly keyslots: readonly LuksKeyslot[];
  readonly segments: readonly LuksSegment[];
  readonly tokens: readonly {readonly token: number; readonly type: string}[];
};

/** How many keyslots a version has at most. */
export function maxKeyslots(version: 1 | 2): number {
  return version === 1 ? 8 : 32;
}

/** The lowest slot that is free, undefined when all are taken. */
export function freeKeyslot(header: LuksHeader): number | undefined {
  const taken = new Set(header.keyslots.map(({slot}) => slot));
  return Array.from({length: maxKeyslots(header.version)}, (_, slot) => slot).find((slot) => !taken.has(slot));
}

/** The header out of `luksDump`, and for LUKS2 the JSON metadata if they were read. *errors*: luks-dump. */
export function parseLuks(dump: string, json?: string): Result<LuksHeader> {
  const version = /^Version:\s+(\d+)\s*$/m.exec(dump)?.[1];
  if (version === '1') return parseLuks1(dump);
  if (version !== '2') {
    return unreadable(version === undefined ? 'there is no version in it' : `LUKS version ${version} is not known`);
  }
  const text = parseLuks2(dump);
  if (!text.ok || json === undefined) return text;
  const metadata = parseLuksJson(json);
  return metadata.ok ? ok({...text.value, ...metadata.value}) : metadata;
}

function unreadable<T>(reason: string): Result<T> {
  return bad(error('luks-dump', `the output of cryptsetup luksDump is not understood: ${reason}`));
}

function field(text: string, name: string): string | undefined {
  return new RegExp(`^[ \\t]*${name}:[ \\t]*(.*?)[ \\t]*$`, 'm').exec(text)?.[1];
}

function parseLuks1(dump: string): Result<LuksHeader> {
  const names = ['Cipher name', 'Cipher mode', 'Hash spec', 'MK bits', 'UUID', 'Payload offset'];
  const [name, mode, hash, bits, uuid, offset] = names.map((one) => field(dump, one));
  if (!name || !mode || !hash || !bits || !uuid || !offset) return unreadable('a field of LUKS1 is missing');
  const cipher = `${name}-${mode}`;
  const keySizeBits = Number(bits);
  const keyslots = [...dump.matchAll(/^Key Slot (\d+): ENABLED\n((?:[ \t].*\n?)*)/gm)].map((found): LuksKeyslot => {
    const iterations = Number(field(found[2] ?? '', 'Iterations'));
    return {slot: Number(found[1]), keySizeBits, afHash: hash, pbkdf: {algorithm: 'pbkdf2', hash, iterations}};
  });
  return ok({
    version: 1,
    uuid,
    label: undefined,
    subsystem: undefined,
    flags: [],
    requirements: [],
    cipher,
    keySizeBits,
    hash,
    keyslots,
    segments: [{offsetBytes: Number(offset) * 512, sizeBytes: 'dynamic', cipher, sectorBytes: 512}],
    tokens: [],
  });
}

// `0: luks2` and what is indented below it, within one of the sections.
function numbered(dump: string, title: string): {id: number; kind: string; body: string}[] {
  const section = new RegExp(`^${title}:\\n((?:[ \\t].*\\n?|\\n)*)`, 'm').exec(dump)?.[1] ?? '';
  return [...section.matchAll(/^ {2}(\d+): (.*)\n((?:\t.*\n?)*)/gm)].map((found) => ({
    id: Number(found[1]),
    kind: (found[2] ?? '').trim(),
    body: found[3] ?? '',
  }));
}

function parseLuks2(dump: string): Result<LuksHeader> {
  const uuid = field(dump, 'UUID');
  const keyslots: LuksKeyslot[] = [];
  for (const {id, kind, body} of numbered(dump, 'Keyslots')) {
    if (kind.split(' ')[0] !== 'luks2') continue;
    const number = (name: string): number => Number.parseInt(field(body, name) ?? '', 10);
    const algorithm = field(body, 'PBKDF');
    const pbkdf: LuksPbkdf =
      algorithm === 'argon2i' || algorithm === 'argon2id'
        ? {algorithm, time: number('Time cost'), memoryKib: number('Memory'), cpus: number('Threads')}
        : {algorithm: 'pbkdf2', hash: field(body, 'Hash'), iterations: number('Iterations')};
    keyslots.push({slot: id, keySizeBits: number('Key'), afHash: field(body, 'AF hash'), pbkdf});
  }
  const segments = numbered(dump, 'Data segments').map(({body}): LuksSegment => {
    const size = Number.parseInt(field(body, 'length') ?? '', 10);
    return {
      offsetBytes: Number.parseInt(field(body, 'offset') ?? '0', 10),
      sizeBytes: Number.isNaN(size) ? 'dynamic' : size,
      cipher: field(body, 'cipher') ?? '',
      sectorBytes: Number.parseInt(field(body, 'sector') ?? '512', 10),
    };
  });
  const digest = numbered(dump, 'Digests')[0];
  const hash = digest && field(digest.body, 'Hash');
  const [segment] = segments;
  if (!uuid || segment === undefined || hash === undefined) return unreadable('a field of LUKS2 is missing');
  const optional = (name: string): string | undefined => {
    const value = field(dump, name);
    return value === undefined || value === '' || value.startsWith('(no ') ? undefined : value;
  };
  return ok({
    version: 2,
    uuid,
    label: optional('Label'),
    subsystem: optional('Subsystem'),
    flags: optional('Flags')?.split(/\s+/) ?? [],
    requirements: optional('Requirements')?.split(/\s+/) ?? [],
    cipher: segment.cipher,
    keySizeBits: keyslots[0]?.keySizeBits ?? 0,
    hash,
    keyslots,
    segments,
    tokens: numbered(dump, 'Tokens').map(({id, kind}) => ({token: id, type: kind})),
  });
}

/** What the JSON metadata of LUKS2 say: everything but UUID, label and subsystem. *errors*: luks-dump. */
export function parseLuksJson(json: string): Result<Omit<LuksHeader, 'version' | 'uuid' | 'label' | 'subsystem'>> {
  let data: unknown;
  try {
    data = JSON.parse(json);
  } catch {
    return unreadable('the metadata are no JSON');
  }
  const mapping = (value: unknown): Record<string, unknown> => (isMapping(value) ? value : {});
  const strings = (value: unknown): string[] =>
    Array.isArray(value) ? value.filter((one) => typeof one === 'string') : [];
  const text = (value: unknown): string | undefined => (typeof value === 'string' ? value : undefined);
  const entries = (value: unknown): [number, Record<string, unknown>][] =>
    Object.entries(mapping(value)).map(([id, one]) => [Number(id), mapping(one)]);

  const root = mapping(data);
  const keyslots: LuksKeyslot[] = [];
  for (const [slot, one] of entries(root['keyslots'])) {
    const kdf = mapping(one['kdf']);
    if (one['type'] !== 'luks2') continue;
    const algorithm = kdf['type'];
    const pbkdf: LuksPbkdf =
      algorithm === 'argon2i' || algorithm === 'argon2id'
        ? {algorithm, time: Number(kdf['time']), memoryKib: Number(kdf['memory']), cpus: Number(kdf['cpus'])}
        : {algorithm: 'pbkdf2', hash: text(kdf['hash']), iterations: Number(kdf['iterations'])};
    keyslots.push({slot, keySizeBits: Number(one['key_size']) * 8, afHash: text(mapping(one['af'])['hash']), pbkdf});
  }
  const segments = entries(root['segments']).map(([, one]): LuksSegment => ({
    offsetBytes: Number(one['offset']),
    sizeBytes: one['size'] === 'dynamic' ? 'dynamic' : Number(one['size']),
    cipher: text(one['encryption']) ?? '',
    sectorBytes: Number(one['sector_size'] ?? 512),
  }));
  const digest = entries(root['digests'])[0]?.[1];
  const hash = digest && text(digest['hash']);
  const [segment] = segments;
  if (segment === undefined || hash === undefined) return unreadable('the metadata have no segment or no digest');
  const ours = new Set(strings(digest?.['keyslots']).map(Number));
  const config = mapping(root['config']);
  return ok({
    flags: strings(config['flags']),
    requirements: strings(mapping(config['requirements'])['mandatory']),
    cipher: segment.cipher,
    keySizeBits: (keyslots.find(({slot}) => ours.has(slot)) ?? keyslots[0])?.keySizeBits ?? 0,
    hash,
    keyslots: keyslots.sort((a, b) => a.slot - b.slot),
    segments,
    tokens: entries(root['tokens']).map(([token, one]) => ({token, type: text(one['type']) ?? ''})),
  });
}
