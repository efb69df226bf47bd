/** Real messages, read by us and by another MIME parser (postal-mime): tree, subject, sender and attachments agree. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import PostalMime from 'postal-mime';
import { decodeWords } from '../../../shared/mime/encoded-words.ts';
import { scanMessage } from '../../../shared/mime/scan.ts';
import { decodeTransfer } from '../../../shared/mime/text.ts';
import type { Part } from '../../../shared/mime/structure.ts';
import { readRealMail, realMailNames } from './real-mail.ts';

/** What postal-mime keeps of the tree, not part of its published types. */
interface OtherNode {
  readonly contentType: { readonly parsed: { readonly value: string } };
  readonly childNodes: readonly OtherNode[];
}

/** A multipart without parts: the other parser keeps its type, we show it as text. */
const withoutParts = new Set([
  'error_emails--bad_date_header2.eml', 'error_emails--empty_in_reply_to.eml', 'error_emails--missing_body.eml',
  'error_emails--must_supply_encoding.eml',
]);

/** Bytes that are no UTF-8 in the subject; addresses with RFC 5322 comments inside, or two without a comma. */
const otherSubject = new Set(['error_emails--invalid_subject_characters.eml']);
const otherSender = new Set([
  'plain_emails--raw_email_multiple_from.eml', 'rfc2822--example10.eml', 'rfc2822--example13.eml', 'rfc6532--utf8_headers.eml',
]);

function outline(type: string, children: readonly string[]): string {
  return children.length === 0 ? type : `${type}(${children.join(' ')})`;
}

function ourOutline(part: Part): string {
  return outline(`${part.type}/${part.subtype}`, part.type === 'message' ? [] : part.children.map(ourOutline));
}

function otherOutline(node: OtherNode): string {
  return outline(node.contentType.parsed.value, node.childNodes.map(otherOutline));
}

function leaves(part: Part): readonly Part[] {
  return part.type === 'multipart' ? part.children.flatMap(leaves) : [part];
}

test('tree, subject, sender and base64 attachments of real messages are what postal-mime finds', async (context) => {
  let attachments = 0;
  for (const name of realMailNames) {
    const bytes = readRealMail(name);
    const { root, envelope } = scanMessage(bytes);
    const parser = new PostalMime({ forceRfc822Attachments: true });
    const other = await parser.parse(bytes);
    const { root: otherRoot } = parser as unknown as { readonly root: OtherNode };
    if (!withoutParts.has(name)) assert.equal(ourOutline(root), otherOutline(otherRoot), name);
    if (!otherSubject.has(name)) assert.equal(decodeWords(envelope.subject ?? ''), other.subject ?? '', name);
    const [sender] = envelope.from;
    if (!otherSender.has(name)) assert.equal(sender && `${sender.mailbox}@${sender.host}`, other.from?.address, name);
    const files = leaves(root).filter((part) => part.encoding === 'base64' && part.disposition?.type === 'attachment');
    for (const file of files.filter((part) => part.type !== 'text')) {
      const content = decodeTransfer(bytes.subarray(file.bodyStart, file.bodyEnd), file.encoding);
      const same = other.attachments.some((attachment) => content.equals(Buffer.from(attachment.content as ArrayBuffer)));
      assert.ok(same, `${name}: attachment at ${file.bodyStart}`);
      attachments += 1;
    }
  }
  context.diagnostic(`${realMailNames.length} messages, ${attachments} attachments`);
  assert.ok(attachments >= 10);
});
