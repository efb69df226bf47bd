/**
 * Mail that another node holds of an account which this node owns: the directory was changed by hand, and the user has a new
 * mailbox here. The other node's record becomes a tombstone first, so there is one owner from then on; then its messages
 * enter the mailboxes of the same names, under new UIDs, each in one transaction with the note that it came: once, whatever crashes.
 */
import { randomUUID } from 'node:crypto';
import { counted } from '../../shared/base/counted.ts';
import { Failure } from '../../shared/base/failure.ts';
import { Flag } from '../storage/storage.ts';
import type { Account, AppendMarks, Mailbox, MailboxEntry, MessageRow } from '../storage/storage.ts';
import type { StreamedMessage } from './message-stream.ts';
import type { Tell } from './progress.ts';
import type { MoveSource } from './source.ts';

const sealWithinMs = 10_000;
const messagesPerBatch = 64;
const noted = Buffer.from('1');
/** What of `MessageRow.flags` travels. */
const allFlags = Flag.Seen | Flag.Answered | Flag.Flagged | Flag.Deleted | Flag.Draft;

export interface LeftBehind {
  readonly account: Account;
  readonly source: MoveSource;
  readonly node: string;
  readonly tell: Tell;
}

/** Resolves when everything is here; the source's copy is then verified. Throws what source and storage throw; calling it again goes on. */
export async function bringLeftBehind(left: LeftBehind): Promise<void> {
  const { account, source, tell } = left;
  await sealSource(left);
  tell('seal', `${source.node} has given up what was left behind of ${account.address}`);
  const { id, mailboxes } = await source.snapshot(account.address);
  let brought = 0;
  for (const mailbox of mailboxes) {
    const target = account.mailbox(mailbox.name) ?? (await account.createMailbox(mailbox.name));
    const { rows } = await allRows(source, account.address, mailbox);
    const notes = `${id}/${mailbox.mailboxId}`;
    const missing = rows.filter(({ uid }) => account.deliveryRecords.read((records) => records.get(noteKey(notes, uid))) === undefined);
    for (let from = 0; from < missing.length; from += messagesPerBatch) {
      const batch = missing.slice(from, from + messagesPerBatch);
      await bringBatch(left, { mailbox, target, rows: batch, notes });
      brought += batch.length;
      tell('copy', `${counted(brought, 'message')} copied`);
    }
  }
}

async function sealSource({ account, source, node }: LeftBehind): Promise<void> {
  const record = await source.record(account.address);
  if (record.at === 'moved' && record.node === node) return;
  if (record.at !== 'live') throw new Failure('unknown-user', `${source.node} holds no mail of ${account.address}`);
  const token = `${node}/${randomUUID()}`;
  await source.hold(account.address, token, sealWithinMs);
  await source.seal(account.address, { token, node, epoch: Math.max(record.epoch, account.epoch) + 1 });
}

/** The source is frozen, so pages don't overlap; a row's last change decides. */
async function allRows(source: MoveSource, address: string, mailbox: MailboxEntry): Promise<{ readonly rows: readonly MessageRow[] }> {
  const rows: MessageRow[] = [];
  for (let since = 0, more = true; more;) {
    const page = await source.changes(address, mailbox.id, since);
    rows.push(...page.rows);
    ({ upTo: since, more } = page);
  }
  return { rows: rows.toSorted((one, other) => one.uid - other.uid) };
}

interface Batch {
  readonly mailbox: MailboxEntry;
  readonly target: Mailbox;
  readonly rows: readonly MessageRow[];
  readonly notes: string;
}

async function bringBatch(left: LeftBehind, { mailbox, target, rows, notes }: Batch): Promise<void> {
  const { account, source } = left;
  const byMessage = Map.groupBy(rows, ({ messageId }) => messageId);
  for await (const message of source.messages(account.address, [...byMessage.keys()])) {
    if (message.kind === 'gone') throw new Failure('storage-failure', `${source.node} has lost a message of ${mailbox.name}`);
    const staged = await account.stage(message.bytes, message.size);
    try {
      await checkDigest(staged.digest, message);
      for (const row of byMessage.get(message.messageId) ?? []) {
        const keywords = mailbox.keywords.filter((_, index) => ((row.keywords >>> index) & 1) === 1);
        const marks: AppendMarks = { flags: row.flags & allFlags, keywords, keywordsBeyond: 'left-out', internalDateMs: row.internalDateMs };
        await target.append([{ staged, marks }], (records) => {
          if (records.get(noteKey(notes, row.uid)) !== undefined) return 'skip';
          records.put(noteKey(notes, row.uid), noted);
          return 'append';
        });
      }
    } finally {
      await staged.discard();
    }
  }
}

async function checkDigest(here: Buffer, message: StreamedMessage & { kind: 'message' }): Promise<void> {
  if (!here.equals(await message.digest())) throw new Failure('backend-unavailable', `message ${String(message.messageId)} was damaged on its way`);
}

function noteKey(notes: string, uid: number): readonly (string | number)[] {
  return ['left-behind', notes, uid];
}
