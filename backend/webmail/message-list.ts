/** Message lists: pages of summaries, newest first, and the search for words in subjects and addresses. */
import { setImmediate as nextTurn } from 'node:timers/promises';
import { decodeWords } from '../../shared/mime/encoded-words.ts';
import type { EnvelopeAddress, MessageHead } from '../../shared/mime/structure.ts';
import { sendJson } from '../../shared/http/refusals.ts';
import { Flag } from '../storage/storage.ts';
import type { Mailbox, MessageRow } from '../storage/storage.ts';
import type { AddressView, MessagePage, MessageSummary } from './api.ts';
import { pathMailbox } from './call.ts';
import type { Call } from './call.ts';

const usualPage = 50;
const largestPage = 200;
/** A search lets other requests in after so many messages, and ends after so long: the next page goes on. */
const searchSlice = 100;
const longestSearchMs = 3000;

/** `before`: only uids below; `limit`: so many; `search`: only those with the words. */
export async function listMessages(call: Call): Promise<void> {
  const { query, response } = call.exchange;
  const mailbox = pathMailbox(call);
  const limit = Math.min(wholeNumber(query.get('limit')) ?? usualPage, largestPage);
  const before = wholeNumber(query.get('before')) ?? mailbox.state().uidNext;
  const words = (query.get('search') ?? '').toLowerCase().split(/\s+/).filter((word) => word !== '').slice(0, 10);
  const page = words.length === 0 ? readPage(mailbox, { before, limit }) : await search(mailbox, { before, limit, words });
  sendJson(response, 200, page);
}

function wholeNumber(text: string | null): number | undefined {
  return text !== null && /^[1-9]\d{0,14}$/.test(text) ? Number(text) : undefined;
}

function readPage(mailbox: Mailbox, { before, limit }: { readonly before: number; readonly limit: number }): MessagePage {
  const { keywords } = mailbox.state();
  const rows = newestRows(mailbox, before, limit + 1);
  return { messages: rows.slice(0, limit).flatMap((row) => summaryOf(mailbox, row, keywords)), more: rows.length > limit };
}

/** Up to `count` rows below a uid, newest first. Reads from the end, in ranges that grow where uids are sparse. */
function newestRows(mailbox: Mailbox, before: number, count: number): MessageRow[] {
  const rows: MessageRow[] = [];
  let to = before - 1;
  for (let span = 2 * count; to >= 1 && rows.length < count; span *= 4) {
    const from = Math.max(1, to - span + 1);
    rows.push(...mailbox.rows(from, to).reverse());
    to = from - 1;
  }
  return rows.slice(0, count);
}

async function search(mailbox: Mailbox, wanted: { readonly before: number; readonly limit: number; readonly words: readonly string[] }): Promise<MessagePage> {
  const { keywords } = mailbox.state();
  const messages: MessageSummary[] = [];
  const endMs = Date.now() + longestSearchMs;
  let before = wanted.before;
  for (;;) {
    const rows = newestRows(mailbox, before, searchSlice);
    for (const row of rows) {
      const [summary] = summaryOf(mailbox, row, keywords);
      if (summary !== undefined && holds(summary, wanted.words)) messages.push(summary);
      if (messages.length > wanted.limit) return { messages: messages.slice(0, wanted.limit), more: true };
    }
    const last = rows.at(-1);
    if (last === undefined) return { messages, more: false };
    before = last.uid;
    if (Date.now() > endMs) return { messages, more: messages.length > 0 };
    await nextTurn();
  }
}

function holds(summary: MessageSummary, words: readonly string[]): boolean {
  const people = [...summary.from, ...summary.to].map(({ name, address }) => `${name} ${address}`);
  const text = [summary.subject, ...people].join('\n').toLowerCase();
  return words.every((word) => text.includes(word));
}

/** The list line of a row; none when the message went away meanwhile. */
export function summaryOf(mailbox: Mailbox, row: MessageRow, keywords: readonly string[]): [MessageSummary] | [] {
  const [head] = mailbox.heads([row]);
  return head === undefined ? [] : [{ ...summarise(head), ...marksOf(row, keywords) }];
}

type Marks = Pick<MessageSummary, 'uid' | 'dateMs' | 'size' | 'seen' | 'flagged' | 'answered' | 'forwarded' | 'draft'>;

function marksOf(row: MessageRow, keywords: readonly string[]): Marks {
  const forwarded = keywords.findIndex((keyword) => keyword.toLowerCase() === '$forwarded');
  return {
    uid: row.uid,
    dateMs: row.internalDateMs,
    size: row.size,
    seen: (row.flags & Flag.Seen) !== 0,
    flagged: (row.flags & Flag.Flagged) !== 0,
    answered: (row.flags & Flag.Answered) !== 0,
    draft: (row.flags & Flag.Draft) !== 0,
    forwarded: forwarded !== -1 && ((row.keywords >>> forwarded) & 1) === 1,
  };
}

function summarise(head: MessageHead): Omit<MessageSummary, keyof Marks> {
  const { envelope, preview, hasAttachment } = head;
  return { from: addressViews(envelope.from), to: addressViews(envelope.to), subject: decodeWords(envelope.subject ?? ''), preview, hasAttachment };
}

/** Addresses in readable form; the marks of groups are left out. */
export function addressViews(addresses: readonly EnvelopeAddress[]): AddressView[] {
  return addresses.flatMap(({ name, mailbox, host }) => {
    if (mailbox === undefined || host === undefined) return [];
    const address = decodeWords(host === '' ? mailbox : `${mailbox}@${host}`);
    return [{ name: decodeWords(name ?? ''), address }];
  });
}
