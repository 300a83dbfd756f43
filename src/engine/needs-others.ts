import type {Include, Play, Task} from '../playbook/program.ts';
import type {Node} from '../playbook/node.ts';

/** `meta` tasks that concern all hosts of the play. */
const ofAll: ReadonlySet<unknown> = new Set(['end_play', 'end_batch', 'clear_host_errors', 'refresh_inventory']);

/** Whether all hosts of a play do one task after the other together. */
export function isLinear(play: Play): boolean {
  return play.strategy === 'linear' || play.maxFailPercentage !== undefined;
}

/**
 * Whether a task needs what other hosts did before it, or must be through before they go on: it reads their variables, acts for all of them, or
 * ends the play for all of them where it fails.
 */
export function needsOthers(item: Task | Include): boolean {
  const {keywords} = item;
  if (
    keywords.runOnce !== undefined ||
    keywords.delegateFacts !== undefined ||
    keywords.throttle !== undefined ||
    keywords.anyErrorsFatal !== undefined
  )
    return true;
  if (item.item === 'include') return [item.file, ...keywords.when, keywords.loop?.source].some(mentionsOthers);
  const {doing, params} = item;
  if (doing.do === 'action' && (doing.action === 'add_host' || doing.action === 'group_by')) return true;
  if (doing.do === 'action' && doing.action === 'meta' && params?.kind === 'map')
    return params.entries.some(({value}) => value.kind === 'scalar' && ofAll.has(value.value));
  const vars = item.vars.flatMap((layer) =>
    layer.kind === 'task' || layer.kind === 'block' ? [...layer.values.values()] : [],
  );
  return [params, ...keywords.when, keywords.loop?.source, ...vars].some(mentionsOthers);
}

/** Whether a value speaks of other hosts' variables. */
function mentionsOthers(node: Node | undefined): boolean {
  if (node === undefined) return false;
  if (node.kind === 'scalar')
    return typeof node.value === 'string' && /hostvars|ansible_play_(?:hosts|batch)|play_hosts/.test(node.value);
  if (node.kind === 'list') return node.items.some(mentionsOthers);
  return node.entries.some((entry) => mentionsOthers(entry.value));
}
