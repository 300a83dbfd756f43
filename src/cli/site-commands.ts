import {Argument, type Command} from 'commander';

const schemas = ['playbook', 'inventory', 'output', 'events', 'plan'] as const;
const shells = ['bash', 'zsh', 'fish'] as const;

/** The commands that help in writing a site; they connect to nothing. */
export function addSiteCommands(tsplay: Command): void {
  const schema = tsplay
    .command('schema')
    .description('JSON Schemas for editors and scripts')
    .addArgument(new Argument('[name]', 'of what (playbook)').choices(schemas));
  for (const name of schemas) schema.option(`--${name}`, `the same as \`schema ${name}\``);
  schema.action(async (name: string | undefined, options: Record<string, unknown>) =>
    (await import('./schema-command.ts')).schemaCommand(
      name ?? schemas.find((each) => options[each] === true) ?? 'playbook',
    ),
  );
  tsplay
    .command('completion')
    .description('a completion script for a shell')
    .addArgument(new Argument('<shell>').choices(shells))
    .action(async (shell: (typeof shells)[number]) => {
      const {completionScript} = await import('./completion.ts');
      process.stdout.write(completionScript(shell, tsplay));
    });
  tsplay
    .command('init')
    .description('a small working site to begin with')
    .argument('<dir>', 'a folder that does not exist yet, or is empty')
    .action(async (folder: string) => (await import('./init-command.ts')).initCommand(folder));
}
