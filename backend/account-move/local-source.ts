/** What a node does and tells when an account leaves it: the storage and the delivery records behind the routes. */
import { createHash } from 'node:crypto';
import { acceptancesOf } from '../processing/processing.ts';
import { isAlive } from '../storage/storage.ts';
import type { DeliveryRecords, Storage } from '../storage/storage.ts';
import { decodeMessages, encodeMessages } from './message-stream.ts';
import type { MessageDigest, MoveSource, NodeRecord } from './source.ts';

/** Rows asked for at a time. */
const rowsPerPage = 2000;

/** This node as a source. */
export function localSource(node: string, storage: Storage): MoveSource {
  const { leaving } = storage.transfers;
  return {
    node,
    record: async (address) => Promise.resolve(recordOf(storage, address)),
    snapshot: async (address) => Promise.resolve(leaving.snapshot(address)),
    changes: async (address, mailbox, since) => Promise.resolve(leaving.changes(address, mailbox, { since, limit: rowsPerPage })),
    messages: (address, ids) => decodeMessages(encodeMessages(leaving, address, ids)),
    fingerprint: async (address) => Promise.resolve(leaving.fingerprint(address)),
    acceptances: async (address) => Promise.resolve(recordsOf(storage, address).flatMap((records) => acceptancesOf(records, address))),
    hold: async (address, token, forMs) => leaving.hold(address, { token, forMs }),
    release: async (address, token) => leaving.release(address, token),
    seal: async (address, seal) => leaving.seal(address, seal),
    digests: (address) => digestsOf(storage, address),
    verified: async (address, { epoch, purge }) => {
      await leaving.markVerified(address, epoch);
      if (purge) await leaving.removeLeft(address, epoch);
    },
    close: () => undefined,
  };
}

export function recordOf(storage: Storage, address: string): NodeRecord {
  const record = storage.find(address);
  if (record.at === 'live') {
    const { id, epoch } = record.account;
    const { messages, bytes } = record.account.quota();
    return { at: 'live', id, epoch, standing: record.account.standing(), messages, bytes };
  }
  if (record.at === 'withdrawn') return { at: 'withdrawn', why: record.why, atMs: record.atMs };
  if (record.at === 'moved') {
    const left = storage.transfers.leaving.leftOf(address) ?? 'none';
    return { at: 'moved', node: record.node, epoch: record.epoch, left };
  }
  if (record.at === 'none') return record;
  const holder = storage.transfers.arriving.records().find((arriving) => arriving.address === address)?.holder ?? '';
  return { ...record, worker: holder !== '' && isAlive(holder) ? 'alive' : 'gone' };
}

/** The account may lie in any of the node's storages. */
function recordsOf(storage: Storage, address: string): readonly DeliveryRecords[] {
  const record = storage.find(address);
  return record.at === 'live' ? [record.account.deliveryRecords] : storage.deliveryRecords();
}

async function* digestsOf(storage: Storage, address: string): AsyncGenerator<MessageDigest, void, void> {
  const { leaving } = storage.transfers;
  const known = new Map<number, string>();
  for (const { id, mailboxId } of leaving.snapshot(address).mailboxes) {
    for (const { uid, messageId } of leaving.changes(address, id, { since: 0, limit: Infinity }).rows) {
      const digest = known.get(messageId) ?? (await digestOf(leaving.message(address, messageId)?.bytes() ?? []));
      known.set(messageId, digest);
      yield { mailboxId, uid, digest };
    }
  }
}

async function digestOf(bytes: AsyncIterable<Buffer> | Iterable<Buffer>): Promise<string> {
  const hash = createHash('sha256');
  for await (const piece of bytes) hash.update(piece);
  return hash.digest('hex');
}
