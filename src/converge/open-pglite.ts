// PostgreSQL inside this process, in a folder of the state directory: what a single controller needs, with nothing to install.
import {mkdirSync} from 'node:fs';
import type {Database, Row} from './database.ts';

/** Opens the database in a folder. Only ever with the state folder's lock in hand: a second opener would lose rows without a word. */
export async function openPglite(folder: string): Promise<Database> {
  const {PGlite} = await import('@electric-sql/pglite');
  mkdirSync(folder, {recursive: true, mode: 0o700});
  const pglite = await PGlite.create({dataDir: folder});
  return {
    backend: 'pglite',
    shared: false,
    name: folder,
    query: async (text, values = []) => (await pglite.query<Row>(text, [...values])).rows,
    script: async (text) => (await pglite.exec(text)).flatMap(({rows}) => rows as Row[]),
    transaction: (work) =>
      pglite.transaction((tx) =>
        work({query: async (text, values = []) => (await tx.query<Row>(text, [...values])).rows}),
      ),
    close: () => pglite.close(),
  };
}
