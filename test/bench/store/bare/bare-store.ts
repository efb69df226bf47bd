/** Starts the bare server of Node (bare-server.ts says what it does, and what it leaves out) as a store of the bench; it serves some cells only. */
import { join } from 'node:path';
import { rmSync } from 'node:fs';
import { freePort } from '../../../harness/free-port.ts';
import { endProgram, startProgram } from '../../proxy/processes.ts';
import { serverFolder } from '../../proxy/server-folder.ts';
import type { CertificateFiles } from '../../proxy/servers.ts';
import type { Furnishing } from '../cell.ts';
import type { MailStore } from '../mail-store.ts';
import type { Durability } from './record-batches.ts';

/** What the program is told. */
export interface BareSettings {
  readonly folder: string;
  readonly durability: Durability;
  readonly ports: { readonly imap: number; readonly lmtp: number };
  readonly certificates: CertificateFiles;
  /** So many messages are in each mailbox of that name from the beginning. */
  readonly mailboxes: Readonly<Record<string, number>>;
}

/** A store, and the folder with the files that its processes write. */
export type BareStore = MailStore & { readonly folder: string };

const arriving = ['lmtp-many', 'lmtp-one', 'append-4k', 'append-100k'];
const marking = ['store-all', 'store-each'];
/** Its kinds, and what they serve. Who flushes nothing is only to tell what flags cost that nobody flushes, as Dovecot's. */
const kinds: Readonly<Record<Durability, Pick<Required<MailStore>, 'name' | 'serves'>>> = {
  'flushed': { name: 'Bare Node', serves: [...arriving, 'open-big', ...marking] },
  'indexed': { name: 'Bare Node with LMDB', serves: [...arriving, ...marking] },
  'not flushed': { name: 'Bare Node, not flushed', serves: marking },
};

/** @param places it has from the beginning, without the messages themselves, every user the same */
export async function startBareStore(durability: Durability, certificates: CertificateFiles, places: readonly Pick<Furnishing, 'mailbox' | 'messages'>[]): Promise<BareStore> {
  const folder = serverFolder('bare');
  const ports = { imap: await freePort(), lmtp: await freePort() };
  const mailboxes = Object.fromEntries(places.map(({ mailbox, messages }) => [mailbox, messages]));
  const settings: BareSettings = { folder, durability, ports, certificates, mailboxes };
  const child = await startProgram([process.execPath, join(import.meta.dirname, 'bare-server.ts'), JSON.stringify(settings)], Object.values(ports).map((port) => ({ address: '127.0.0.1', port })));
  const imap = { port: ports.imap, tls: 'no' } as const;
  return {
    ...kinds[durability], folder, password: 'any', pids: child.pid === undefined ? [] : [child.pid],
    imap, imaps: imap, pop3: imap, lmtp: { port: ports.lmtp, tls: 'yes' },
    stop: async () => {
      await endProgram(child);
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
