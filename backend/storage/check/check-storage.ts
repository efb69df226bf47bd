/** Checks a storage: its index is compared with itself and with the packs; what is lost is named message by message. */
import { counted } from '../../../shared/base/counted.ts';
import { decodeHead, decodeStructure } from '../../../shared/mime/encode-structure.ts';
import { decodeWords } from '../../../shared/mime/encoded-words.ts';
import { chooseFields, fieldValues, isWhole } from '../../../shared/mime/kept-fields.ts';
import type { AccountEntry, MailboxEntry } from '../entries.ts';
import { keysUnder } from '../environment.ts';
import { openTables } from '../keys.ts';
import type { Tables } from '../keys.ts';
import type { KeptFolder } from '../kept-folder.ts';
import { allRows } from '../mailbox-rows.ts';
import { decodeMessage } from '../message-store.ts';
import { breathe, pagesOf } from '../table-pages.ts';
import { checkFolder } from './check-folder.ts';
import type { CheckOptions, CheckReport, IndexReader, PlaceFault } from './check-folder.ts';
import type { Finding, FindingKind, Findings } from './findings.ts';
import { checkIndex } from './index-check.ts';
import type { Named } from './index-check.ts';
import type { PlacedMessage } from './pack-check.ts';

/** Throws as `checkFolder`. */
export async function checkStorage(kept: KeptFolder, options: CheckOptions): Promise<CheckReport> {
  return checkFolder(kept, options, storageReader());
}

type Lost = Map<number, { readonly kind: FindingKind; readonly text: string; readonly pack?: number }>;

function storageReader(): IndexReader<PlacedMessage> {
  let frozen: Tables | undefined;
  let missing: Named = new Map();
  const orphans: number[] = [];
  return {
    read: async (environment, findings) => {
      frozen = openTables(environment);
      const { named, ...tally } = await checkIndex(frozen, findings);
      missing = named;
      return { placed: await checkMessages(frozen, { named, orphans }, findings), tally };
    },
    name: async (faults, findings) => {
      if (frozen !== undefined) await nameLost(frozen, lostOf(faults, missing), findings);
      for (const message of orphans) findings.add({ kind: 'orphan-message', at: { message }, text: `message ${String(message)} is in no mailbox` });
    },
  };
}

function lostOf(faults: readonly PlaceFault<PlacedMessage>[], missing: Named): Lost {
  const lost: Lost = new Map(faults.map(({ of: { messageId, place }, kind, text }) => [messageId, { kind, text, pack: place.pack }]));
  for (const messageId of missing.keys()) lost.set(messageId, { kind: 'message-missing', text: 'the index does not know the message' });
  return lost;
}

/** All messages. What is left in `named` afterwards is in no table of messages. */
async function checkMessages(tables: Tables, { named, orphans }: { readonly named: Named; readonly orphans: number[] }, findings: Findings): Promise<readonly PlacedMessage[]> {
  const placed: PlacedMessage[] = [];
  for await (const page of pagesOf(tables.messages)) {
    for (const { key, value } of page) {
      const messageId = Number(key[0]);
      const { references, place } = decodeMessage(value);
      const known = named.get(messageId);
      named.delete(messageId);
      const at = { message: messageId };
      if (known === undefined) orphans.push(messageId);
      else {
        if (known.times !== references) findings.add({ kind: 'references-wrong', pack: place.pack, at, text: `message ${String(messageId)} is in mailboxes ${counted(known.times, 'time')}, and counted as ${String(references)}` });
        if (known.size !== place.length) findings.add({ kind: 'size-wrong', pack: place.pack, at, text: `message ${String(messageId)} has ${counted(place.length, 'byte')}, and ${String(known.size)} by its mailbox` });
      }
      const structure = tables.structures.get([messageId]);
      if (structure === undefined) findings.add({ kind: 'structure-lost', pack: place.pack, at, text: `the structure of message ${String(messageId)} is not there` });
      else if (!isOf(tables.headerFields.text([messageId]), structure)) findings.add({ kind: 'fields-wrong', pack: place.pack, at, text: `what is kept of the header of message ${String(messageId)} is not what its structure says` });
      placed.push({ messageId, place });
    }
  }
  return placed;
}

/** Whether the fields that are kept are those of that structure, as far as it tells. */
function isOf(kept: string | undefined, structure: Buffer): boolean {
  if (kept === undefined) return true;
  const { date, subject, inReplyTo, messageId } = decodeHead(structure).envelope;
  const said = [date, subject, inReplyTo, messageId];
  return isWhole(kept) && toldFields.every((choice, index) => {
    const values = fieldValues(kept, choice);
    return values === undefined || (values[0] ?? '') === (said[index] ?? '');
  });
}

/** Fields that the structure has as they stand. */
const toldFields = ['DATE', 'SUBJECT', 'IN-REPLY-TO', 'MESSAGE-ID'].map((name) => chooseFields([name]));

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
        if (what !== undefined) findings.add({ ...what, account: addresses.get(account), mailbox: name, uid, ...namesOf(tables, messageId), at: { account, mailbox: id, message: messageId } });
      }
      await breathe();
    }
  }
}

/** By what its owner knows a message. */
function namesOf(tables: Tables, messageId: number): Pick<Finding, 'subject' | 'messageId'> {
  const structure = tables.structures.get([messageId]);
  if (structure === undefined) return {};
  const { subject, messageId: name } = decodeStructure(structure).envelope;
  return { ...(subject === undefined ? {} : { subject: decodeWords(subject) }), ...(name === undefined ? {} : { messageId: name }) };
}
