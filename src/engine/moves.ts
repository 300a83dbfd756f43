// What moved on a host since a plan was made, in words. Witnesses (src/remote/witness.ts) are made to be compared, not to be read.
import type {Key} from '../kit/key.ts';
import type {Saw} from './plan-part.ts';

/** Whether two witnesses of one read say the same. A digest is missing where a file was too large to be read, or not readable. */
export function isSameWitness(one: string, other: string): boolean {
  if (one === other) return true;
  const bare = (text: string): string => text.replace(/ (?:-|[0-9a-f]{64})$/, '');
  return (one.endsWith(' -') || other.endsWith(' -')) && bare(one) === bare(other);
}

/** One line: which thing, what the plan saw, what is there now. */
export function moveOf(saw: Saw, now: string): string {
  const {key, witness = ''} = saw;
  if (key.startsWith('raw:')) return `what was read of ${aboutOf(saw.about)} is another answer now`;
  return `${nameOf(key)}: planned on ${difference(key, witness, now)}, now ${difference(key, now, witness)}`;
}

/** What a plan saw, for people: without digests, since one of a short text could be guessed from it. */
export function witnessWords(saw: Saw): {readonly what: string; readonly was: string} {
  const {key, witness, from} = saw;
  const what = key.startsWith('raw:') ? `an answer about ${aboutOf(saw.about)}` : nameOf(key);
  if (from === 'plan') return {what, was: 'as earlier tasks leave it'};
  if (witness === undefined) return {what, was: 'read'};
  return {what, was: key.startsWith('raw:') ? 'read' : stateWords(key, witness)};
}

function stateWords(key: Key, witness: string): string {
  if (witness === 'absent') return 'nothing there';
  if (key.startsWith('file:')) {
    const [type = '', mode = '', owner = ''] = witness.split(' ');
    if (type === 'link') return difference(key, witness, '');
    return `${type === 'other' ? 'special file' : type}, mode ${mode.padStart(4, '0')}, owner ${owner}`;
  }
  if (key.startsWith('account:')) return witness.slice(0, witness.lastIndexOf(' '));
  return difference(key, witness, '');
}

function nameOf(key: Key): string {
  return key.replace(':', ' ');
}

function aboutOf(keys: readonly Key[]): string {
  const names = keys.filter((key) => key !== 'tree:/').map(nameOf);
  if (names.length === 0) return 'the host';
  return names.length > 3 ? `${names.slice(0, 3).join(', ')} and more` : names.join(', ');
}

/** One side of a difference; of files only what differs. */
function difference(key: Key, one: string, other: string): string {
  if (one === 'absent') return 'nothing there';
  if (key.startsWith('file:')) return fileWords(one, other);
  if (key.startsWith('unit:')) return one === 'none' ? 'no systemd' : one.split(' ').slice(0, 3).join(', ') || one;
  if (key.startsWith('package:')) return `version ${one}`;
  if (key.startsWith('account:')) return accountWords(one, other);
  return one;
}

/** `file 644 0:0 DIGEST`, `directory 755 0:0`, `link TARGET -> …`: type, mode, owner, content. */
function fileWords(one: string, other: string): string {
  const [type = '', mode = '', owner = '', digest = ''] = one.split(' ');
  const [otherType, otherMode, otherOwner, otherDigest] = other.split(' ');
  if (type === 'link') return `a link to ${one.slice('link '.length).replace(/ -> .*/s, '')}`;
  if (type !== otherType) return `a ${type === 'other' ? 'special file' : type}`;
  const parts = [
    ...(mode === otherMode ? [] : [`mode ${mode.padStart(4, '0')}`]),
    ...(owner === otherOwner ? [] : [`owner ${owner}`]),
    ...(digest === otherDigest ? [] : [`content ${digest.slice(0, 8)}…`]),
  ];
  return parts.length === 0 ? `a ${type}` : parts.join(', ');
}

/** Never the hash of a password, not even a digest of it. */
function accountWords(one: string, other: string): string {
  const split = (text: string): [string, string] => {
    const at = text.lastIndexOf(' ');
    return [text.slice(0, at), text.slice(at + 1)];
  };
  const [entry, password] = split(one);
  const [otherEntry, otherPassword] = split(other);
  const parts = [...(entry === otherEntry ? [] : [entry]), ...(password === otherPassword ? [] : ['another password'])];
  return parts.join(', ') || entry;
}
