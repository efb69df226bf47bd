/** One message for reading: addresses, texts decoded, attachments listed. */
import { decodeParameter } from '../../shared/mime/header.ts';
import { decodeText } from '../../shared/mime/text.ts';
import { HttpRefusal, sendJson } from '../../shared/http/refusals.ts';
import type { StoredMessage } from '../storage/storage.ts';
import type { BodyView, MessageView } from './api.ts';
import { pathMessage } from './call.ts';
import type { Call } from './call.ts';
import { addressViews, summaryOf } from './message-list.ts';
import { attachmentView, sortParts } from './message-parts.ts';
import type { NumberedPart } from './message-parts.ts';

/** Encoded bytes of all texts of one message that are shown. */
const maxTextBytes = 2 * 1024 * 1024;
const maxBodies = 50;

/** Answers with the message. Whether it counts as read is the page's own request. */
export async function showMessage(call: Call): Promise<void> {
  const { mailbox, row, message } = pathMessage(call);
  const [summary] = summaryOf(mailbox, row, mailbox.state().keywords);
  if (summary === undefined) throw new HttpRefusal('message-missing', 'This message is gone.');
  const { envelope, root, sentAtMs } = message.structure;
  const { bodies, attachments } = sortParts(root);
  const view: MessageView = {
    ...summary,
    cc: addressViews(envelope.cc),
    bcc: addressViews(envelope.bcc),
    replyTo: addressViews(envelope.replyTo),
    sentAtMs,
    bodies: await readBodies(message, bodies.slice(0, maxBodies)),
    attachments: attachments.map(attachmentView),
  };
  sendJson(call.exchange.response, 200, view);
}

async function readBodies(message: StoredMessage, parts: readonly NumberedPart[]): Promise<BodyView[]> {
  const bodies: BodyView[] = [];
  let left = maxTextBytes;
  for (const { part } of parts) {
    const length = part.bodyEnd - part.bodyStart;
    const bytes = await message.read(part.bodyStart, Math.min(length, left));
    left -= bytes.length;
    const charset = decodeParameter(part.parameters, 'charset') ?? '';
    bodies.push({ kind: part.subtype === 'html' ? 'html' : 'plain', text: decodeText(bytes, part.encoding, charset), cut: bytes.length < length });
  }
  return bodies;
}
