/** Builds the bytes of a message that a user writes. */
import MailComposer from 'nodemailer/lib/mail-composer';
import { Failure } from '../../shared/base/failure.ts';
import { HttpRefusal } from '../../shared/http/refusals.ts';
import type { MessageStructure } from '../../shared/mime/structure.ts';
import { decodeTransfer } from '../../shared/mime/text.ts';
import type { Account } from '../storage/storage.ts';
import type { AddressView, ComposeRequest, MessagePlace } from './api.ts';
import type { UploadedFile } from './compose-request.ts';
import { findPart, nameOf } from './message-parts.ts';
import { mailboxById, messageByUid } from './call.ts';

export interface OutgoingMessage {
  readonly from: string;
  readonly to: readonly AddressView[];
  readonly cc: readonly AddressView[];
  readonly bcc: readonly AddressView[];
  readonly subject: string;
  readonly text: string;
  /** Message-IDs with angle brackets. */
  readonly inReplyTo: string | undefined;
  readonly references: readonly string[];
  readonly files: readonly UploadedFile[];
}

/** The message for its recipients (without Bcc), and for the sender's own folders (with it); otherwise the same bytes. */
export async function buildMessage(message: OutgoingMessage): Promise<{ readonly forRecipients: Buffer; readonly forSender: Buffer }> {
  const node = new MailComposer({
    from: message.from,
    to: message.to.map(composerAddress),
    cc: message.cc.map(composerAddress),
    bcc: message.bcc.map(composerAddress),
    subject: message.subject,
    text: message.text.replace(/\r\n|\r|\n/g, '\r\n'),
    ...(message.inReplyTo === undefined ? {} : { inReplyTo: message.inReplyTo, references: [...message.references] }),
    attachments: message.files.map(({ name, type, bytes }) => ({ filename: name, contentType: type, content: bytes })),
    newline: 'win',
    disableFileAccess: true,
    disableUrlAccess: true,
  }).compile();
  const forRecipients = await node.build();
  node.keepBcc = true;
  return { forRecipients, forSender: await node.build() };
}

function composerAddress({ name, address }: AddressView): { name: string; address: string } {
  return { name, address };
}

/** The threading fields of an answer (RFC 5322 section 3.6.4), or those that the draft already has. What is answered may be gone by now. */
export function threadOf(account: Account, { answers, draft }: ComposeRequest): Pick<OutgoingMessage, 'inReplyTo' | 'references'> {
  const structureAt = (place: MessagePlace): MessageStructure | undefined => account.mailboxById(place.mailbox)?.message(place.uid)?.structure;
  const answered = answers === undefined ? undefined : structureAt(answers);
  const id = answered?.envelope.messageId;
  if (answered !== undefined && id !== undefined) return { inReplyTo: id, references: [...answered.references.map(inBrackets).filter((each) => each !== id), id] };
  const stored = draft === undefined ? undefined : structureAt(draft);
  return { inReplyTo: stored?.envelope.inReplyTo, references: (stored?.references ?? []).map(inBrackets) };
}

function inBrackets(id: string): string {
  return id.startsWith('<') ? id : `<${id}>`;
}

/** Attachments of stored messages, decoded. @throws HttpRefusal when one is gone, Failure('message-too-big') */
export async function takeAlong(account: Account, keep: readonly (MessagePlace & { readonly part: string })[], maxBytes: number): Promise<UploadedFile[]> {
  const files: UploadedFile[] = [];
  let left = maxBytes;
  for (const { mailbox, uid, part: number } of keep) {
    const { message } = messageByUid(mailboxById(account, mailbox), uid);
    const part = findPart(message.structure.root, number);
    if (part === undefined) throw new HttpRefusal('no-such-thing', 'An attachment to take along is gone.');
    left -= part.bodyEnd - part.bodyStart;
    if (left < 0) throw new Failure('message-too-big', 'The attachments are too big.');
    const bytes = decodeTransfer(await message.read(part.bodyStart, part.bodyEnd - part.bodyStart), part.encoding);
    files.push({ name: nameOf(part), type: `${part.type}/${part.subtype}`, bytes });
  }
  return files;
}
