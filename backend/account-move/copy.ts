/** One pass of a copy: everything that changed at the source since the marks of the copy, page by page. */
import { Failure, isFailure } from '../../shared/base/failure.ts';
import type { Arriving, ArrivedMessage, ChangesPage, MailboxEntry } from '../storage/storage.ts';
import type { MoveSource } from './source.ts';

/** Messages asked for at a time; their bytes are on stable storage together. */
const messagesPerBatch = 256;
/** Another account's copy of a message may go while ours is put in; then the page is fetched once more. */
const triesPerPage = 3;

export interface Pass {
  readonly source: MoveSource;
  readonly arriving: Arriving;
  readonly address: string;
  /** Hears of each page. */
  readonly onRows: (rows: number) => void;
}

/** Answers how many rows and removals came. Throws what source and storage throw. */
export async function copyChanges(pass: Pass): Promise<number> {
  const { source, arriving, address } = pass;
  const snapshot = await source.snapshot(address);
  await arriving.shape(address, snapshot);
  let changes = 0;
  for (const mailbox of snapshot.mailboxes) {
    let since = arriving.marks(address).get(mailbox.mailboxId) ?? 0;
    for (let more = mailbox.highestModseq > since; more;) {
      const page = await pageOf(pass, mailbox, since);
      if (page === undefined) break;
      changes += page.rows.length + page.expunged.length;
      since = page.upTo;
      more = page.more;
      pass.onRows(page.rows.length);
    }
  }
  return changes;
}

/** Fetches and applies one page; undefined when the mailbox is gone, which the next pass will see. */
async function pageOf(pass: Pass, mailbox: MailboxEntry, since: number): Promise<ChangesPage | undefined> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      const page = await pass.source.changes(pass.address, mailbox.id, since);
      await bring(pass, mailbox, page);
      return page;
    } catch (error) {
      if (isFailure(error, 'mailbox-missing')) return undefined;
      if (!isFailure(error, 'storage-failure') || attempt >= triesPerPage) throw error;
    }
  }
}

/** The rows in the order of their changes, a batch of messages at a time; each batch moves the mark on. */
async function bring(pass: Pass, mailbox: MailboxEntry, page: ChangesPage): Promise<void> {
  const known = new Set(pass.arriving.messageIds(pass.address));
  for (const part of batchesOf(page)) {
    const gone = new Set<number>();
    const arrived: ArrivedMessage[] = [];
    try {
      const missing = [...new Set(part.rows.map(({ messageId }) => messageId))].filter((id) => !known.has(id));
      if (missing.length > 0) await fetchMessages(pass, missing, { arrived, gone });
      await pass.arriving.apply(pass.address, { mailbox, page: part, arrived, gone });
      for (const { messageId } of arrived) known.add(messageId);
    } finally {
      pass.arriving.discard(arrived);
    }
  }
}

async function fetchMessages({ source, arriving, address }: Pass, ids: readonly number[], { arrived, gone }: { readonly arrived: ArrivedMessage[]; readonly gone: Set<number> }): Promise<void> {
  for await (const message of source.messages(address, ids)) {
    if (message.kind === 'gone') {
      gone.add(message.messageId);
      continue;
    }
    const here = await arriving.write(address, message);
    arrived.push(here);
    if (!here.digest.equals(await message.digest())) throw new Failure('backend-unavailable', `message ${String(message.messageId)} was damaged on its way`);
  }
  if (arrived.length + gone.size !== ids.length) throw new Failure('backend-unavailable', 'the other node did not send all messages');
}

/**
 * Parts of a page with few messages each. The mark that a part leaves stands before the changes of the part after it: one
 * change may be of all messages of a mailbox, and then the mark waits for the last of them.
 */
function batchesOf(page: ChangesPage): ChangesPage[] {
  const parts: ChangesPage[] = [];
  let expungedFrom = -1;
  for (let from = 0; from < page.rows.length || parts.length === 0; from += messagesPerBatch) {
    const next = page.rows[from + messagesPerBatch];
    const upTo = next === undefined ? page.upTo : next.modseq - 1;
    const before = expungedFrom;
    parts.push({ rows: page.rows.slice(from, from + messagesPerBatch), expunged: page.expunged.filter(({ modseq }) => modseq > before && modseq <= upTo), upTo, more: next !== undefined || page.more });
    expungedFrom = upTo;
  }
  return parts;
}
