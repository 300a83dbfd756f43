import {resolve} from 'node:path';
import {actions} from '../actions/index.ts';
import {Catalog} from '../catalog/catalog.ts';
import type {ActionSpec} from '../catalog/action-spec.ts';
import type {Module} from '../kit/module.ts';
import {describeKind, type Params} from '../kit/schema.ts';
import {stateOfDefault} from './doc-default.ts';
import {exitStatus} from './exit-status.ts';

/** `tsplay doc`: all modules in a line each, or one module's manual. Everything comes from the module's own declaration. */
export function docCommand(name: string | undefined): void {
  const catalog = new Catalog({
    actions,
    cwd: process.cwd(),
    folders: [resolve('modules'), resolve('playbooks/modules')],
  });
  if (name === undefined) {
    const names = catalog.names();
    const width = Math.max(...names.map((n) => n.length));
    for (const each of names) {
      const found = catalog.find(each);
      const summary =
        found?.ok === true
          ? found.value.found === 'module'
            ? found.value.module.summary
            : found.value.action.summary
          : '';
      process.stdout.write(`${each.padEnd(width)}  ${summary}\n`);
    }
    return;
  }
  const found = catalog.find(name);
  if (found?.ok !== true) {
    const near = catalog.nearest(name);
    process.stderr.write(
      found === undefined
        ? `no module "${name}"${near === undefined ? '' : `; did you mean "${near}"?`}\n`
        : `${found.problems[0].message}\n`,
    );
    process.exitCode = exitStatus.nothingAttempted;
    return;
  }
  const spec: Module | ActionSpec = found.value.found === 'module' ? found.value.module : found.value.action;
  process.stdout.write(manualOf(spec));
}

/** The manual page of a module or action as Markdown. */
export function manualOf(
  spec: Pick<Module, 'name' | 'summary' | 'params' | 'freeForm'> & {
    readonly examples: readonly string[];
    readonly aliases?: readonly string[];
  },
): string {
  const lines = [`# ${spec.name}`, '', spec.summary, ''];
  if (spec.aliases !== undefined && spec.aliases.length > 0) lines.push(`Also called: ${spec.aliases.join(', ')}`, '');
  if (Object.keys(spec.params).length > 0) lines.push('## Parameters', '', ...paramLines(spec.params, ''), '');
  if (spec.freeForm !== undefined) lines.push(`A plain text is taken as \`${spec.freeForm}\`.`, '');
  lines.push('## Examples', '', '```yaml', ...spec.examples.map((example) => example.trimEnd()), '```', '');
  return lines.join('\n');
}

function paramLines(params: Params, indent: string): string[] {
  return Object.entries(params).flatMap(([name, param]) => {
    const traits = [
      describeKind(param.kind),
      ...(param.need === 'required'
        ? ['required']
        : param.need === 'default'
          ? [`default ${stateOfDefault(param.default)}`]
          : []),
    ];
    const aliases =
      param.aliases.length === 0 ? '' : ` Also: ${param.aliases.map((alias) => `\`${alias}\``).join(', ')}.`;
    const inner =
      param.kind.kind === 'object'
        ? param.kind.params
        : param.kind.kind === 'list' && param.kind.of.kind === 'object'
          ? param.kind.of.params
          : undefined;
    return [
      `${indent}- \`${name}\` (${traits.join('; ')}): ${param.doc}.${aliases}`,
      ...(inner === undefined ? [] : paramLines(inner, `${indent}  `)),
    ];
  });
}
