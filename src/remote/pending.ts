// Handlers that have been notified and not yet run are noted on the host, before the ops that cause them: a run that fails or is cut off
// leaves the note, and the next run runs them.
import {sha256} from '../kit/content.ts';
import {stdoutText, type Reply} from '../kit/reads.ts';
import {exitStatus} from './exit-status.ts';
import {singleQuoted} from './script.ts';
import type {Fragment} from './session.ts';
import {stateDirectories} from './state-dir.ts';

type Options = Pick<Fragment, 'group' | 'onFailure'>;

function fragment(shell: string, label: string, {group, onFailure}: Options): Fragment {
  return {shell, group, onFailure, label, secret: false, timeoutMs: 60_000};
}

/** Notes entries (any text that names a handler). Its failure must keep the ops from running. */
export function notePendingFragment(entries: readonly string[], options: Options): Fragment {
  const notes = entries.map(
    (entry) =>
      `printf '%s\\n' ${singleQuoted(JSON.stringify(entry))} >"$P/part" && mv -f -- "$P/part" "$P/${nameOf(entry)}"`,
  );
  const shell = `${stateDirectories}P=$S/pending
umask 077
{ [ -d "$P" ] || mkdir -p -- "$P"; } &&
${notes.join(' &&\n')} &&
{ sync "$P" 2>/dev/null || :; } || { echo "notified handlers could not be noted in $P" >&2; exit ${exitStatus.notWritten}; }`;
  return fragment(shell, 'noting notified handlers', options);
}

/** Erases entries, after their handlers have run. */
export function erasePendingFragment(entries: readonly string[], options: Options): Fragment {
  const names = entries.map((entry) => `"$P/${nameOf(entry)}"`).join(' ');
  return fragment(`${stateDirectories}P=$S/pending\nrm -f -- ${names}`, 'erasing handlers that have run', options);
}

/** Asks for all noted entries. Without any it costs no program. */
export function recallPendingFragment(): Fragment {
  const shell = `${stateDirectories}P=$S/pending
set -- "$P"/*.json
[ ! -e "$1" ] || cat -- "$@"`;
  return fragment(shell, 'which handlers are still to run', {group: 0, onFailure: 'go-on'});
}

/** What {@link recallPendingFragment} answered; lines that are no entry (a disk was full) are left out. */
export function decodePending(reply: Reply): readonly string[] {
  return stdoutText(reply)
    .split('\n')
    .flatMap((line) => {
      try {
        const entry: unknown = JSON.parse(line);
        return typeof entry === 'string' ? [entry] : [];
      } catch {
        return [];
      }
    });
}

function nameOf(entry: string): string {
  return `${sha256(entry).slice(0, 32)}.json`;
}
