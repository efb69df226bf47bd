/** Stores with a text index: ours, and Dovecot's with Xapian (Debian's dovecot-fts-xapian). Each index is made on demand, by the server's own command. */
import { execFile } from 'node:child_process';
import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { runCommand } from '../../harness/command.ts';
import { startDovecotStore } from './dovecot-stores.ts';
import type { MailStore } from './mail-store.ts';
import type { RunningStores } from './running-stores.ts';
import { startWaybillStore } from './waybill-store.ts';

export interface IndexedStore {
  readonly store: MailStore;
  /** Makes the index of what the user's mailbox has. */
  makeIndex(user: string): Promise<void>;
  /** Bytes that the indexes have. */
  indexBytes(): number;
}

export async function startIndexedWaybill({ keep }: Pick<RunningStores, 'keep'>): Promise<IndexedStore> {
  const store = await keep(async () => startWaybillStore(undefined, { textIndex: 'all' }));
  const { cluster } = store.ground;
  return {
    store,
    makeIndex: async (user) => {
      const { code, complaint } = await runCommand(cluster, ['search-index', 'rebuild', 'be1', '--account', user]);
      if (code !== 0) throw new Error(`the index could not be made: ${complaint}`);
    },
    indexBytes: () => bytesUnder(cluster.folder, '/text-index/'),
  };
}

/** As its README has it, without a limit on memory, which it prefers: pieces of words from three to twenty characters, so that searches find parts of words, as IMAP has them. */
const xapian = `
mail_plugins = $mail_plugins fts fts_xapian
plugin {
  fts = xapian
  fts_xapian = partial=3 full=20
  fts_autoindex = no
  fts_enforced = yes
}
service indexer-worker {
  vsz_limit = 0
}
`;

/** Takes another Dovecot's certificates, directory and password. */
export async function startXapian(options: Pick<Parameters<typeof startDovecotStore>[0], 'certificates' | 'directory' | 'password'>, { keep, signal }: RunningStores): Promise<IndexedStore> {
  const store = await keep(async () => startDovecotStore({ ...options, format: 'sdbox', more: { name: ' with Xapian', text: xapian } }));
  return {
    store,
    makeIndex: async (user) => void (await promisify(execFile)('/usr/bin/doveadm', ['-c', join(store.folder, 'dovecot.conf'), 'index', '-u', user, 'INBOX'], { signal })),
    indexBytes: () => bytesUnder(store.folder, '/xapian-indexes/'),
  };
}

function bytesUnder(folder: string, part: string): number {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((name) => `/${name}`.includes(part)).reduce((sum, name) => sum + sizeOf(join(folder, name)), 0);
}

/** Files come and go. */
function sizeOf(path: string): number {
  const stat = statSync(path, { throwIfNoEntry: false });
  return stat?.isFile() === true ? stat.size : 0;
}
