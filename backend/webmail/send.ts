/** Sending and drafts: the message is built, handed over for delivery, and kept in the sender's folders. */
import { Failure, isFailure } from '../../shared/base/failure.ts';
import { sendJson } from '../../shared/http/refusals.ts';
import { Flag } from '../storage/storage.ts';
import type { Account, Mailbox } from '../storage/storage.ts';
import type { ComposeRequest, DraftAnswer, SendAnswer } from './api.ts';
import type { Call } from './call.ts';
import { looseAddresses, readAddresses, readComposeRequest } from './compose-request.ts';
import type { UploadedFile } from './compose-request.ts';
import { mailboxFor } from './mailboxes.ts';
import { buildMessage, takeAlong, threadOf } from './outgoing-message.ts';
import { countForAccount } from '../../shared/reporting/account-counts.ts';

export async function send(call: Call): Promise<void> {
  const { request, response } = call.exchange;
  sendJson(response, 200, await call.uploads.within(request, async () => sendWritten(call)));
}

export async function saveDraft(call: Call): Promise<void> {
  const { request, response } = call.exchange;
  sendJson(response, 200, await call.uploads.within(request, async () => keepDraft(call)));
}

async function sendWritten(call: Call): Promise<SendAnswer> {
  const { account, options, origin, exchange } = call;
  const { written, files } = await readWritten(call);
  const [to, cc, bcc] = [readAddresses(written.to), readAddresses(written.cc), readAddresses(written.bcc)];
  const recipients = [...new Map([...to, ...cc, ...bcc].map(({ address }) => [address.toLowerCase(), address])).values()];
  if (recipients.length === 0) throw new Failure('bad-input', 'Add at least one recipient.');
  if (recipients.length > options.limits.maxRecipients) throw new Failure('limit', `A message may have ${String(options.limits.maxRecipients)} recipients at most.`);
  const { subject, text } = written;
  const { forRecipients, forSender } = await buildMessage({ from: account.address, to, cc, bcc, subject, text, files, ...threadOf(account, written) });
  checkSize(forRecipients, options.limits.maxMessageBytes);
  const item = await options.submit({ from: account.address, recipients }, inChunks(forRecipients), { id: origin.session, client: origin.client, account: account.address });
  exchange.log.info({ account: account.address, session: origin.session, item, recipients: recipients.length, bytes: forRecipients.length }, 'message sent');
  countForAccount(account.address, 'messages_sent');
  // It is on its way: whatever fails from here on must not make the user send it again.
  try {
    await keep(call, await mailboxFor(account, 'sent'), { bytes: forSender, flags: Flag.Seen });
    await markAnswered(account, written);
    await removeDraft(account, written);
    return { copy: 'kept' };
  } catch (error) {
    exchange.log.warn({ err: error, account: account.address }, 'sent, but not all of the sender\'s folders are up to date');
    return { copy: 'failed' };
  }
}

async function keepDraft(call: Call): Promise<DraftAnswer> {
  const { account, options } = call;
  const { written, files } = await readWritten(call);
  const [to, cc, bcc] = [looseAddresses(written.to), looseAddresses(written.cc), looseAddresses(written.bcc)];
  const { subject, text } = written;
  const { forSender } = await buildMessage({ from: account.address, to, cc, bcc, subject, text, files, ...threadOf(account, written) });
  checkSize(forSender, options.limits.maxMessageBytes);
  const drafts = await mailboxFor(account, 'drafts');
  const uid = await keep(call, drafts, { bytes: forSender, flags: Flag.Draft | Flag.Seen });
  await removeDraft(account, written);
  return { draft: { mailbox: drafts.id, uid } };
}

async function readWritten(call: Call): Promise<{ readonly written: ComposeRequest; readonly files: readonly UploadedFile[] }> {
  const { maxUploadBytes } = call.options.limits;
  const { written, files } = await readComposeRequest(call);
  const kept = await takeAlong(call.account, written.keep, 2 * maxUploadBytes);
  const all = [...kept, ...files];
  if (all.reduce((sum, { bytes }) => sum + bytes.length, 0) > maxUploadBytes) {
    throw new Failure('message-too-big', `Attachments may have ${String(Math.floor(maxUploadBytes / 1_048_576))} MB at most, all together.`);
  }
  return { written, files: all };
}

function checkSize(message: Buffer, maxBytes: number): void {
  if (message.length > maxBytes) throw new Failure('message-too-big', 'The message is too big.');
}

async function keep(call: Call, mailbox: Mailbox, { bytes, flags }: { readonly bytes: Buffer; readonly flags: number }): Promise<number> {
  const staged = await call.account.stage(inChunks(bytes), bytes.length);
  try {
    const { uids } = await mailbox.append([{ staged, marks: { flags, keywords: [] } }]);
    return uids[0] ?? 0;
  } finally {
    await staged.discard();
  }
}

/** A message that is forwarded stays unmarked where its folder has no room for one more keyword. */
async function markAnswered(account: Account, { answers }: ComposeRequest): Promise<void> {
  if (answers === undefined) return;
  const change = answers.as === 'reply' ? { flags: Flag.Answered, keywords: [] } : { flags: 0, keywords: ['$Forwarded'] };
  try {
    await account.mailboxById(answers.mailbox)?.changeFlags([answers.uid], { mode: 'add', ...change });
  } catch (error) {
    if (!isFailure(error, 'limit')) throw error;
  }
}

/** Only a draft can be replaced: the request names a place, which might hold anything by now. */
async function removeDraft(account: Account, { draft }: ComposeRequest): Promise<void> {
  const mailbox = draft === undefined ? undefined : account.mailboxById(draft.mailbox);
  const row = draft === undefined ? undefined : mailbox?.row(draft.uid);
  if (mailbox !== undefined && row !== undefined && (row.flags & Flag.Draft) !== 0) await mailbox.expunge([row.uid]);
}

async function* inChunks(bytes: Buffer): AsyncGenerator<Buffer> {
  for (let at = 0; at < bytes.length; at += 65_536) yield bytes.subarray(at, at + 65_536);
}
