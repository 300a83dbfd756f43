// The published schemas in a real editor's language server: completion, marks on mistakes, and no marks on what is right.
import {spawn} from 'node:child_process';
import {readdirSync, readFileSync} from 'node:fs';
import {resolve} from 'node:path';
import {pathToFileURL} from 'node:url';
import test from 'ava';
import {actions} from '../../src/actions/index.ts';
import {Catalog} from '../../src/catalog/catalog.ts';
import {inventorySchema, playbookSchema} from '../../src/playbook/editor-schema.ts';
import {withFiles} from '../support/temp-site.ts';

type Message = {id?: number | string; method?: string; params?: Record<string, unknown>; result?: unknown};
type Marks = readonly {readonly message: string; readonly range: {start: {line: number}}}[];
type Completions = {items: readonly {label: string}[]};

/** A language server over its standard streams. */
class Server {
  readonly #program = spawn(process.execPath, [resolve('node_modules/.bin/yaml-language-server'), '--stdio'], {
    stdio: 'pipe',
  });
  readonly #answers = new Map<number, (result: unknown) => void>();
  readonly #marks = new Map<string, (marks: Marks) => void>();
  readonly #settings: unknown;
  #buffer = Buffer.alloc(0);
  #last = 0;

  constructor(settings: unknown) {
    this.#settings = settings;
    this.#program.stdout.on('data', (chunk: Buffer) => {
      this.#buffer = Buffer.concat([this.#buffer, chunk]);
      for (let next = this.#next(); next !== undefined; next = this.#next()) this.#heard(next);
    });
  }

  #next(): Message | undefined {
    const head = /^(?:[^\r]+\r\n)*?Content-Length: (\d+)\r\n(?:[^\r]+\r\n)*\r\n/.exec(this.#buffer.toString('latin1'));
    const length = Number(head?.[1]);
    if (head === null || this.#buffer.length < head[0].length + length) return undefined;
    const body = this.#buffer.subarray(head[0].length, head[0].length + length).toString('utf8');
    this.#buffer = this.#buffer.subarray(head[0].length + length);
    return JSON.parse(body) as Message;
  }

  #heard({id, method, params, result}: Message): void {
    if (method === undefined) this.#answers.get(Number(id))?.(result);
    else if (method === 'textDocument/publishDiagnostics')
      this.#marks.get(String(params?.['uri']))?.(params?.['diagnostics'] as Marks);
    else if (method === 'workspace/configuration') {
      const items = params?.['items'] as readonly {section: string}[];
      this.#send({id: id ?? 0, result: items.map(({section}) => (section === 'yaml' ? this.#settings : {}))});
    } else if (id !== undefined) this.#send({id, result: null});
  }

  #send(message: Message): void {
    const body = JSON.stringify({jsonrpc: '2.0', ...message});
    this.#program.stdin.write(`Content-Length: ${String(Buffer.byteLength(body))}\r\n\r\n${body}`);
  }

  ask(method: string, params: Record<string, unknown>): Promise<unknown> {
    const id = ++this.#last;
    this.#send({id, method, params});
    return new Promise((answer) => this.#answers.set(id, answer));
  }

  tell(method: string, params: Record<string, unknown>): void {
    this.#send({method, params});
  }

  async open(folder: string): Promise<void> {
    const workspace = {configuration: true, didChangeConfiguration: {dynamicRegistration: true}};
    await this.ask('initialize', {
      processId: process.pid,
      rootUri: pathToFileURL(folder).href,
      capabilities: {workspace, textDocument: {completion: {completionItem: {snippetSupport: false}}}},
    });
    this.tell('initialized', {});
    this.tell('workspace/didChangeConfiguration', {settings: {yaml: this.#settings}});
  }

  /** What the server marks in a text. */
  marks(uri: string, text: string): Promise<Marks> {
    const marks = new Promise<Marks>((answer) => this.#marks.set(uri, answer));
    this.tell('textDocument/didOpen', {textDocument: {uri, languageId: 'yaml', version: 1, text}});
    return marks;
  }

  async labels(uri: string, line: number, character: number): Promise<readonly string[]> {
    const found = await this.ask('textDocument/completion', {textDocument: {uri}, position: {line, character}});
    return (found as Completions).items.map(({label}) => label);
  }

  end(): void {
    this.#program.kill();
  }
}

const catalog = new Catalog({actions});
const callables = catalog.names().flatMap((name) => {
  const found = catalog.find(name);
  if (found?.ok !== true) return [];
  return [found.value.found === 'module' ? found.value.module : found.value.action];
});

test('yaml-language-server completes and marks by the schemas', (t) =>
  withFiles(
    {
      'playbook.json': JSON.stringify(playbookSchema(callables)),
      'inventory.json': JSON.stringify(inventorySchema()),
    },
    async (folder) => {
      const schemas = {
        [pathToFileURL(`${folder}/playbook.json`).href]: ['playbooks/*.yml', 'roles/*/tasks/*.yml'],
        [pathToFileURL(`${folder}/inventory.json`).href]: ['inventory/hosts.yml'],
      };
      const server = new Server({
        validate: true,
        completion: true,
        schemas,
        schemaStore: {enable: false},
        customTags: ['!vault scalar', '!unsafe scalar'],
      });
      try {
        await server.open(folder);
        const uri = (path: string): string => pathToFileURL(`${folder}/${path}`).href;
        for (const file of readdirSync('playbooks').filter((name) => name.endsWith('.yml'))) {
          const text = readFileSync(`playbooks/${file}`, 'utf8');
          t.deepEqual(await server.marks(uri(`playbooks/${file}`), text), [], file);
        }
        t.deepEqual(await server.marks(uri('inventory/hosts.yml'), readFileSync('inventory/hosts.yml', 'utf8')), []);

        const wrong =
          '- hosts: all\n  tasks:\n    - file:\n        path: /a\n        ownr: root\n    - service: {name: x, state: begun}\n';
        const marked = await server.marks(uri('playbooks/wrong.yml'), wrong);
        t.deepEqual([...new Set(marked.map(({range}) => range.start.line))].sort(), [4, 5], JSON.stringify(marked));

        const started = '- hosts: all\n  tasks:\n    - name: a\n      \n    - file:\n        path: /a\n        \n';
        await server.marks(uri('playbooks/started.yml'), started);
        const modules = await server.labels(uri('playbooks/started.yml'), 3, 6);
        for (const name of ['file', 'copy', 'spice_graphics', 'when']) t.true(modules.includes(name), name);
        const params = await server.labels(uri('playbooks/started.yml'), 6, 8);
        for (const name of ['owner', 'mode', 'state']) t.true(params.includes(name), `${name}: ${params.join(' ')}`);

        const role = '- copy: {dest: /a, content: x}\n- fil: {path: /a}\n';
        t.deepEqual(
          (await server.marks(uri('roles/r/tasks/main.yml'), role)).map(({range}) => range.start.line),
          [1],
        );
      } finally {
        server.end();
      }
    },
  ));
