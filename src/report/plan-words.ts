// What a plan will do and what it was made from, in words for people who review it.
import {masked, Secret} from '../base/secret.ts';
import type {Content, Op, PlainOp} from '../kit/op.ts';

/** One op in a line, never with its content. */
export function opWords(op: Op): readonly string[] {
  if (op.op === 'guarded')
    return [
      `guarded: a fresh login must succeed within ${Math.round(op.withinMs / 1000)} s, or the host puts everything back`,
      ...op.ops.flatMap((inner) => plainWords(inner).map((line) => `  ${line}`)),
    ];
  return plainWords(op);
}

function plainWords(op: PlainOp): readonly string[] {
  switch (op.op) {
    case 'write':
      return [`write ${op.path} (${contentWords(op.content)})${attributes(op)}`];
    case 'run':
      return [`run ${commandWords(op)}${op.stdin === undefined ? '' : ', with input'}`];
    case 'link':
      return [`link ${op.path} -> ${op.target}`];
    case 'remove':
      return [`remove ${op.path}${op.recurse === true ? ' and everything below it' : ''}`];
    default:
      return [`${op.op} ${op.path}${attributes(op)}`];
  }
}

function attributes(op: {readonly mode?: string; readonly owner?: string; readonly group?: string}): string {
  return [
    ...(op.mode === undefined ? [] : [`, mode ${op.mode}`]),
    ...(op.owner === undefined ? [] : [`, owner ${op.owner}`]),
    ...(op.group === undefined ? [] : [`, group ${op.group}`]),
  ].join('');
}

function contentWords(content: Content): string {
  if (typeof content === 'string') return `${Buffer.byteLength(content)} bytes`;
  if (content instanceof Secret) return 'content with secrets';
  if (content instanceof Uint8Array) return `${content.length} bytes`;
  return 'blob' in content
    ? `${content.sizeBytes} bytes of ${content.blob}`
    : `made when it is applied: ${content.spec.part}`;
}

function commandWords(op: PlainOp & {readonly op: 'run'}): string {
  const words = op.argv.map((word) => (typeof word === 'string' ? word : '<candidate>'));
  const text = op.script === undefined ? (words[1] === '-c' ? (words[2] ?? '') : words.join(' ')) : masked(op.script);
  const [line = '', ...more] = text.trim().split('\n');
  const short = line.length > 160 ? `${line.slice(0, 160)}…` : line;
  return more.length > 0 ? `${short} … (${more.length + 1} lines)` : short;
}
