/**
 * Checks a storage while it is used: the index is copied as of one commit, and what it says is compared with itself and with
 * the packs, each record to the last byte. Nothing is changed; what is lost is named message by message.
 */
import { join } from 'node:path';
import type { AccountEntry, MailboxEntry } from '../entries.ts';
import { keysUnder } from '../environment.ts';
import { openTables } from '../keys.ts';
import type { Tables } from '../keys.ts';
import { freeze, makeScratch } from '../kept-folder.ts';
import type { KeptFolder } from '../kept-folder.ts';
import { allRows } from '../mailbox-tree.ts';
import { decodeMessage } from '../message-store.ts';
import { packName } from '../pack-format.ts';
import { PackLedger } from '../pack-ledger.ts';
import { Findings } from './findings.ts';
import type { Finding, FindingKind } from './findings.ts';
import { breathe, checkIndex, pagesOf } from './index-check.ts';
import type { Named } from './index-check.ts';
import { checkPack } from './pack-check.ts';
import type { PlacedMessage, RecordFault } from './pack-check.ts';

export interface CheckReport {
  readonly directory: string;
  readonly accounts: number;
  readonly mailboxes: number;
  readonly messages: number;
  /** Of all messages of all mailboxes. */
  readonly bytes: number;
  readonly packs: number;
  /** The first of them. */
  readonly findings: readonly Finding[];
  readonly found: number;
}

export interface CheckOptions {
  readonly report: (text: string, done: { readonly bytes: number; readonly of: number }) => void;
  readonly signal: AbortSignal;
}

const words: Readonly<Record<RecordFault, string>> = {
  'pack-lost': 'is not there, or is no pack',
  'record-torn': 'has no whole record of it',
  'record-changed': 'has other bytes of it than were written',
};

/** Throws `storage-failure` when the check itself can't be made, `storage-full`. */
export async function checkStorage(kept: KeptFolder, options: CheckOptions): Promise<CheckReport> {
  const { directory } = kept;
  options.report(`copies the index of ${directory}`, { bytes: 0, of: 0 });
  const scratch = makeScratch(directory);
  try {
    const frozen = await freeze(kept, join(scratch.path, 'index'));
    try {
      const tables = openTables(frozen.environment);
      const findings = new Findings();
      options.report(`reads the index of ${directory}`, { bytes: 0, of: 0 });
      const { named, ...tally } = await checkIndex(tables, findings);
      const { packs, orphans } = await checkMessages(tables, named, findings);
      checkLedger(new PackLedger(frozen.environment), packs, findings);
      const lost = await checkPacks(directory, packs, options);
      for (const messageId of named.keys()) lost.set(messageId, { kind: 'message-missing', text: 'the index does not know the message' });
      await nameLost(tables, lost, findings);
      for (const [messageId, { text }] of orphans) findings.add({ kind: 'orphan-message', text: `message ${String(messageId)} ${text}` });
      return { directory, ...tally, packs: packs.size, findings: findings.kept, found: findings.count };
    } finally {
      await frozen.release();
    }
  } finally {
    scratch.remove();
  }
}

type Lost = Map<number, { readonly kind: FindingKind; readonly text: string; readonly pack?: number }>;

/** The messages of each pack. What is left in `named` afterwards is in no table of messages. */
async function checkMessages(tables: Tables, named: Named, findings: Findings): Promise<{ readonly packs: ReadonlyMap<number, readonly PlacedMessage[]>; readonly orphans: Lost }> {
  const packs = new Map<number, PlacedMessage[]>();
  const orphans: Lost = new Map();
  for await (const page of pagesOf(tables.messages)) {
    for (const { key, value } of page) {
      const messageId = Number(key[0]);
      const { references, place } = decodeMessage(value);
      const known = named.get(messageId);
      named.delete(messageId);
      if (known === undefined) orphans.set(messageId, { kind: 'orphan-message', text: 'is in no mailbox' });
      else {
        if (known.times !== references) findings.add({ kind: 'references-wrong', pack: place.pack, text: `message ${String(messageId)} is in mailboxes ${String(known.times)} times, and counted as ${String(references)}` });
        if (known.size !== place.length) findings.add({ kind: 'size-wrong', pack: place.pack, text: `message ${String(messageId)} has ${String(place.length)} bytes, and ${String(known.size)} by its mailbox` });
      }
      if (tables.structures.get([messageId]) === undefined) findings.add({ kind: 'structure-lost', pack: place.pack, text: `the structure of message ${String(messageId)} is not there` });
      const inPack = packs.get(place.pack);
      if (inPack === undefined) packs.set(place.pack, [{ messageId, place }]);
      else inPack.push({ messageId, place });
    }
  }
  return { packs, orphans };
}

function checkLedger(ledger: PackLedger, packs: ReadonlyMap<number, readonly PlacedMessage[]>, findings: Findings): void {
  const counted = new Map(ledger.all().map(({ number, entry }) => [number, entry.liveBytes]));
  for (const number of new Set([...counted.keys(), ...packs.keys()])) {
    const live = (packs.get(number) ?? []).reduce((sum, { place }) => sum + place.length, 0);
    if (counted.get(number) !== live) findings.add({ kind: 'live-bytes-wrong', pack: number, text: `${String(counted.get(number) ?? 'nothing')} by the counter, ${String(live)} bytes there` });
  }
}

async function checkPacks(directory: string, packs: ReadonlyMap<number, readonly PlacedMessage[]>, { report, signal }: CheckOptions): Promise<Lost> {
  const lost: Lost = new Map();
  const of = [...packs.values()].flat().reduce((sum, { place }) => sum + place.length, 0);
  let bytes = 0;
  for (const [number, messages] of packs) {
    signal.throwIfAborted();
    report(`reads the packs of ${directory}`, { bytes, of });
    await checkPack(join(directory, 'packs', packName(number)), messages, {
      onFault: ({ messageId }, kind) => lost.set(messageId, { kind, pack: number, text: `pack ${String(number)} ${words[kind]}` }),
      onBytes: (more) => {
        bytes += more;
        signal.throwIfAborted();
        report(`reads the packs of ${directory}`, { bytes, of });
      },
    });
  }
  return lost;
}

/** Whose the messages are that are lost: one finding for each mailbox that has one. */
async function nameLost(tables: Tables, lost: Lost, findings: Findings): Promise<void> {
  if (lost.size === 0) return;
  const addresses = new Map<number, string>();
  for (const { value } of tables.accounts.range(keysUnder([]))) {
    const { number, address } = JSON.parse(value.toString()) as AccountEntry;
    addresses.set(number, address);
  }
  for await (const page of pagesOf(tables.mailboxes)) {
    for (const { value } of page) {
      const { id, account, name } = JSON.parse(value.toString()) as MailboxEntry;
      for (const { uid, messageId } of allRows(tables, id)) {
        const what = lost.get(messageId);
        if (what !== undefined) findings.add({ ...what, account: addresses.get(account), mailbox: name, uid });
      }
      await breathe();
    }
  }
}
