/**
 * What of a message is searched (RFC 9051 section 6.4.4), decoded and casemapped: header fields with their encoded words read,
 * names of attachments, text parts out of their transfer encodings and charsets, of HTML its source and what a reader sees of it.
 * The one place that says so: looking into a message and the index both go by it, so they can't differ.
 */
import { isAscii } from 'node:buffer';
import { casemap } from '../../shared/mime/casemap.ts';
import { decodeCharset, decodeWords } from '../../shared/mime/encoded-words.ts';
import { decodeParameter, splitFields } from '../../shared/mime/header.ts';
import type { HeaderField } from '../../shared/mime/header.ts';
import { textOfHtml } from '../../shared/mime/preview.ts';
import type { Part } from '../../shared/mime/structure.ts';
import { decodeTransfer } from '../../shared/mime/text.ts';
import type { StoredMessage } from '../storage/storage.ts';
import { mappedText, pieceBytes, piecesOf } from './text-pieces.ts';
import type { TextPiece } from './text-pieces.ts';
import { needleRuns } from './tokens.ts';

/** Of longer HTML only the source is searched: what is shown of it comes out of the whole, without a rest. */
const longestHtmlBytes = 1024 * 1024;

/** So much of a header is searched. A header is taken apart and decoded as a whole, without a rest: of many megabytes, which no mail program writes, that would hold up a worker for seconds. */
const mostHeaderBytes = 1024 * 1024;

/** The part and all below it. */
export function* partsOf(part: Part): Generator<Part, void, void> {
  yield part;
  for (const child of part.children) yield* partsOf(child);
}

/** Fields of the part's header; values are raw. */
export async function fieldsOf(message: StoredMessage, part: Part): Promise<HeaderField[]> {
  return splitFields((await headerOf(message, part)).toString('latin1'));
}

/** Whether some field holds that text, its name and value together. */
export async function headerHolds(message: StoredMessage, part: Part, text: string): Promise<boolean> {
  const header = await headerOf(message, part);
  return mayHold(header, text) && splitFields(header.toString('latin1')).some((field) => fieldText(field).includes(text));
}

/** Without taking the header apart: false when a run of the text is not in it. Folding (RFC 5322 section 2.2.3) cuts no runs. */
function mayHold(header: Buffer, text: string): boolean {
  if (!isAscii(header) || header.includes('=?')) return true;
  const mapped = header.toString('latin1').toUpperCase();
  return needleRuns(text).every((run) => mapped.includes(run.text));
}

async function headerOf(message: StoredMessage, part: Part): Promise<Buffer> {
  return message.read(part.headerStart, Math.min(mostHeaderBytes, part.bodyStart - part.headerStart));
}

/** What HEADER looks at. */
export function valueText(field: HeaderField): string {
  return casemap(decodeWords(field.value));
}

/** What TEXT looks at of a field: its name belongs to it. */
export function fieldText({ name, value }: HeaderField): string {
  return casemap(`${name}: ${decodeWords(value)}`);
}

/** The subject as the envelope has it, which costs no reading of the message. */
export function subjectText(message: StoredMessage): string {
  return casemap(decodeWords(message.head.envelope.subject ?? ''));
}

/** Names of an attachment, which RFC 2231 may have encoded in the header; none where they stand there readably. */
export function fileNames(part: Part): string[] {
  const names = [decodeParameter(part.disposition?.parameters ?? [], 'filename'), decodeParameter(part.parameters, 'name')];
  return names.filter((name) => name !== undefined).map(casemap);
}

/** Whether the part's body is text that is searched: texts, and reports on deliveries and the like (message/* that encloses none). */
export function isText(part: Part): boolean {
  return part.type === 'text' || (part.type === 'message' && part.children.length === 0);
}

export interface TextListener {
  readonly hear: (piece: TextPiece) => 'more' | 'enough';
  /** Texts that certainly don't hold it need not be told. */
  readonly wanted?: string;
}

/** The texts of a text part, each in one or several pieces; ends when `hear` has heard enough. */
export async function hearTexts(message: StoredMessage, part: Part, { hear, wanted }: TextListener): Promise<void> {
  const charset = decodeParameter(part.parameters, 'charset') ?? 'us-ascii';
  const length = part.bodyEnd - part.bodyStart;
  const isHtml = part.subtype === 'html';
  const inPieces = length > pieceBytes;
  if (inPieces) {
    for await (const piece of piecesOf(message, part, charset)) if (hear(piece) === 'enough') return;
    if (!isHtml || length > longestHtmlBytes) return;
  }
  const bytes = decodeTransfer(await message.read(part.bodyStart, length), part.encoding);
  if (inPieces) {
    hear({ text: shownText(bytes, charset), ends: 'whole' });
    return;
  }
  const source = mappedText(bytes, charset);
  if (hear({ text: source, ends: 'whole' }) === 'enough' || !isHtml) return;
  if (wanted !== undefined && isAscii(bytes) && !/&|<!--/.test(source) && needleRuns(wanted).some((run) => !source.includes(run.text))) return; // marks only part what is there
  hear({ text: shownText(bytes, charset), ends: 'whole' });
}

/** Of HTML: words without marks between them, white space as it is shown. */
function shownText(html: Buffer, charset: string): string {
  return casemap(textOfHtml(decodeCharset(html, charset)).replace(/[\u00ad\u200b\u200c\u200d\u2060\ufeff]/g, '').replace(/\s+/g, ' '));
}
