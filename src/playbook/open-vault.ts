import type {Source, Span} from '../base/diagnostic.ts';
import {ok} from '../base/result.ts';
import type {Result} from '../base/result.ts';
import {decrypt} from '../secrets/vault.ts';
import type {VaultPassword} from '../secrets/vault.ts';

/** A file that is a vault as a whole, opened: a source of which nothing is ever printed. *errors*: those of `decrypt`, at the file's first line. */
export function openVault(source: Source, passwords: readonly VaultPassword[]): Result<Source> {
  const firstLine = source.text.indexOf('\n');
  const span: Span = {source, start: 0, end: firstLine < 0 ? source.text.length : firstLine};
  const opened = decrypt(source.text, passwords, span);
  return opened.ok ? ok({path: source.path, text: opened.value.text.reveal(), secret: true}) : opened;
}
