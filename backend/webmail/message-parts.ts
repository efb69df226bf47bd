/** What of a message is shown as its text and what is listed as attachments (RFC 2046 section 5.1). Pure. */
import { decodeParameter } from '../../shared/mime/header.ts';
import { decodeWords } from '../../shared/mime/encoded-words.ts';
import type { Part } from '../../shared/mime/structure.ts';
import type { AttachmentView } from './api.ts';

/** A part and its IMAP number (RFC 9051 section 6.4.5.1). */
export interface NumberedPart {
  readonly number: string;
  readonly part: Part;
}

export interface MessageParts {
  /** text/plain and text/html parts to show one after the other. */
  readonly bodies: readonly NumberedPart[];
  readonly attachments: readonly NumberedPart[];
}

/** Sorts a message's parts. Of alternatives the last one that can be shown is taken, as the sender prefers it. */
export function sortParts(root: Part): MessageParts {
  const bodies: NumberedPart[] = [];
  const attachments: NumberedPart[] = [];
  const visit = (numbered: NumberedPart): void => {
    const { part } = numbered;
    if (part.type !== 'multipart') {
      (isBody(part) ? bodies : attachments).push(numbered);
      return;
    }
    const children = childrenOf(numbered);
    const chosen = part.subtype === 'alternative' ? children.findLast(({ part: child }) => canShow(child)) : undefined;
    if (chosen !== undefined) {
      visit(chosen);
      return;
    }
    for (const child of children) visit(child);
  };
  visit({ number: '', part: root });
  return { bodies, attachments: attachments.map((each) => (each.number === '' ? { ...each, number: '1' } : each)) };
}

/** The part of that number; undefined when there is none. */
export function findPart(root: Part, number: string): Part | undefined {
  if (number === '1' && root.type !== 'multipart') return root;
  let current: NumberedPart | undefined = { number: '', part: root };
  for (const step of number.split('.')) {
    if (current === undefined || current.part.type !== 'multipart') return undefined;
    const wanted: string = current.number === '' ? step : `${current.number}.${step}`;
    current = childrenOf(current).find((child) => child.number === wanted);
  }
  return current?.part;
}

function childrenOf({ number, part }: NumberedPart): NumberedPart[] {
  return part.children.map((child, index) => ({ number: `${number === '' ? '' : `${number}.`}${String(index + 1)}`, part: child }));
}

function isBody(part: Part): boolean {
  return part.type === 'text' && (part.subtype === 'plain' || part.subtype === 'html') && part.disposition?.type !== 'attachment';
}

function canShow(part: Part): boolean {
  return part.type === 'multipart' ? part.children.some(canShow) : isBody(part);
}

/** How an attachment is listed. */
export function attachmentView({ number, part }: NumberedPart): AttachmentView {
  const encodedBytes = part.bodyEnd - part.bodyStart;
  return {
    part: number,
    name: nameOf(part),
    type: `${part.type}/${part.subtype}`,
    size: part.encoding === 'base64' ? Math.floor((encodedBytes * 3) / 4) : encodedBytes,
    contentId: part.id?.replace(/^<|>$/g, ''),
  };
}

const extensions: Readonly<Record<string, string>> = {
  'message/rfc822': '.eml', 'text/plain': '.txt', 'text/html': '.html', 'text/calendar': '.ics', 'text/vcard': '.vcf', 'image/png': '.png',
  'image/jpeg': '.jpg', 'image/gif': '.gif', 'application/pdf': '.pdf',
};

/** The file name, without what file systems and headers can't bear; made up when the sender gave none. */
export function nameOf(part: Part): string {
  const given = decodeParameter(part.disposition?.parameters ?? [], 'filename') ?? decodeParameter(part.parameters, 'name') ?? '';
  const name = given.replace(/[\p{Cc}\p{Cf}/\\]+/gu, '_').trim().slice(0, 200);
  if (name !== '' && !/^\.+$/.test(name)) return name;
  const subject = part.envelope?.subject === undefined ? '' : decodeWords(part.envelope.subject).replace(/[\p{Cc}\p{Cf}/\\]+/gu, '_').slice(0, 80);
  return (subject || 'attachment') + (extensions[`${part.type}/${part.subtype}`] ?? '');
}
