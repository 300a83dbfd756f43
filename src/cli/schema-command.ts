import {resolve} from 'node:path';
import {actions} from '../actions/index.ts';
import {Catalog} from '../catalog/catalog.ts';
import {exitStatus} from './exit-status.ts';

/** What there are schemas of. */
export const schemaNames = ['playbook', 'inventory', 'output', 'events', 'plan'] as const;

/** `tsplay schema NAME`: a JSON Schema (draft-07) for editors and scripts. That of playbooks knows the site's own modules too. */
export async function schemaCommand(name: string): Promise<void> {
  const schema = await schemaOf(name);
  if (schema === undefined) {
    process.stderr.write(`no schema "${name}"; there are ${schemaNames.join(', ')}\n`);
    process.exitCode = exitStatus.nothingAttempted;
    return;
  }
  process.stdout.write(`${JSON.stringify(schema, undefined, 2)}\n`);
}

async function schemaOf(name: string): Promise<unknown> {
  switch (name) {
    case 'playbook': {
      const {playbookSchema} = await import('../playbook/editor-schema.ts');
      const catalog = new Catalog({
        actions,
        cwd: process.cwd(),
        folders: [resolve('modules'), resolve('playbooks/modules')],
      });
      return playbookSchema(
        catalog.names().flatMap((each) => {
          const found = catalog.find(each);
          if (found?.ok !== true) return [];
          return [found.value.found === 'module' ? found.value.module : found.value.action];
        }),
      );
    }
    case 'inventory':
      return (await import('../playbook/editor-schema.ts')).inventorySchema();
    case 'output':
      return (await import('../report/output-schema.ts')).outputSchema;
    case 'events':
      return (await import('../report/events-schema.ts')).eventsSchema;
    case 'plan':
      return (await import('../report/plan-schema.ts')).planSchema;
    default:
      return undefined;
  }
}
