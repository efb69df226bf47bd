/** Builds delivery status notifications (RFC 3461, RFC 3464, for internationalised addresses RFC 6533): bytes of a multipart/report. Pure. */
import { randomUUID } from 'node:crypto';
import type { Language } from '../../shared/language/language.ts';
import { mailDate } from '../../shared/mime/mail-date.ts';
import { deliveryTexts } from './report-texts.ts';

export type ReportAction = 'failed' | 'delayed' | 'delivered' | 'relayed' | 'expanded';

/** What is reported of one recipient. */
export interface ReportedRecipient {
  readonly address: string;
  /** ORCPT as given: `rfc822;address`. */
  readonly orcpt: string | undefined;
  /** Enhanced status code (RFC 3463). */
  readonly status: string;
  /** The server that said it, if another. */
  readonly remote: string | undefined;
  /** What it said: code and text of its reply; or our own words. */
  readonly words: string;
  /** The words are an SMTP reply. */
  readonly isReply: boolean;
}

export interface ReportOptions {
  readonly action: ReportAction;
  /** The reporting server's name. */
  readonly hostName: string;
  readonly from: string;
  readonly to: string;
  /** Those of the human part, one after the other; the subject is in the first. */
  readonly languages: readonly [Language, ...Language[]];
  readonly envid: string | undefined;
  readonly arrivedAtMs: number;
  readonly nowMs: number;
  /** For `delayed`: until when it is tried. */
  readonly retryUntilMs: number | undefined;
  readonly recipients: readonly ReportedRecipient[];
  /** The original message, whole or its header section; undefined where it can't be read: the part is optional (RFC 6522 section 3). */
  readonly original: { readonly kind: 'message' | 'headers'; readonly bytes: Buffer } | undefined;
}

/** `global`: with addresses or words that are not ASCII (RFC 6533). */
type StatusForm = 'plain' | 'global';

export function buildReport(options: ReportOptions): Buffer {
  const boundary = `=_${randomUUID()}`;
  const form: StatusForm = options.recipients.some(({ address, words }) => !isAscii(address) || !isAscii(words)) ? 'global' : 'plain';
  const parts = [
    textPart(options.languages.map((language) => explanation(options, language)).join('\r\n'), options.languages),
    { fields: [`Content-Type: message/${form === 'global' ? 'global-' : ''}delivery-status`, encodingField(form === 'global' ? '8bit' : '7bit')], body: Buffer.from(statusText(options, form)) },
    ...(options.original === undefined ? [] : [originalPart(options.original)]),
  ];
  const body = parts.flatMap(({ fields, body: bytes }) => [Buffer.from(`--${boundary}\r\n${fields.join('\r\n')}\r\n\r\n`), bytes, Buffer.from('\r\n')]);
  return Buffer.concat([Buffer.from(`${header(options, boundary).join('\r\n')}\r\n\r\n`), ...body, Buffer.from(`--${boundary}--\r\n`)]);
}

function header(options: ReportOptions, boundary: string): string[] {
  return [
    `From: Mail Delivery System <${options.from}>`,
    `To: <${oneLine(options.to)}>`,
    `Subject: ${deliveryTexts[options.languages[0]].subjects[options.action]}`,
    `Date: ${mailDate(options.nowMs)}`,
    `Message-ID: <${randomUUID()}@${options.hostName}>`,
    'MIME-Version: 1.0',
    'Auto-Submitted: auto-replied', // RFC 3834: nobody shall answer a report
    `Content-Type: multipart/report; report-type=delivery-status;\r\n boundary="${boundary}"`,
  ];
}

function explanation(options: ReportOptions, language: Language): string {
  const texts = deliveryTexts[language];
  const list = options.recipients.map(({ address, remote, words }) => {
    const speaker = remote === undefined ? '' : texts.said(oneLine(remote));
    return `  <${oneLine(address)}>\r\n    ${speaker}${oneLine(words)}`;
  });
  const until = options.retryUntilMs === undefined ? '' : `\r\n${texts.until(mailDate(options.retryUntilMs))}\r\n`;
  return `${texts.system(options.hostName)}\r\n\r\n${texts.openings[options.action]}\r\n${until}\r\n${list.join('\r\n\r\n')}\r\n`;
}

/** RFC 3464 section 2: per-message fields, then a block for each recipient. */
function statusText(options: ReportOptions, form: StatusForm): string {
  const perMessage = [
    `Reporting-MTA: dns; ${options.hostName}`,
    ...(options.envid === undefined ? [] : [`Original-Envelope-Id: ${oneLine(options.envid)}`]),
    `Arrival-Date: ${mailDate(options.arrivedAtMs)}`,
  ];
  const blocks = options.recipients.map((recipient) => recipientFields(options, recipient, form));
  return [perMessage, ...blocks].map((fields) => `${fields.join('\r\n')}\r\n`).join('\r\n');
}

function recipientFields(options: ReportOptions, recipient: ReportedRecipient, form: StatusForm): string[] {
  const addressType = form === 'global' && !isAscii(recipient.address) ? 'utf-8' : 'rfc822';
  const [originalType, ...original] = recipient.orcpt?.split(';') ?? [];
  return [
    ...(originalType === undefined ? [] : [`Original-Recipient: ${oneLine(originalType)}; ${oneLine(original.join(';'))}`]),
    `Final-Recipient: ${addressType}; ${oneLine(recipient.address)}`,
    `Action: ${options.action}`,
    `Status: ${recipient.status}`,
    ...(recipient.remote === undefined ? [] : [`Remote-MTA: dns; ${oneLine(recipient.remote)}`]),
    `Diagnostic-Code: ${recipient.isReply ? 'smtp' : 'X-Waybill'}; ${oneLine(recipient.words)}`,
    `Last-Attempt-Date: ${mailDate(options.nowMs)}`,
    ...(options.retryUntilMs === undefined ? [] : [`Will-Retry-Until: ${mailDate(options.retryUntilMs)}`]),
  ];
}

function textPart(text: string, languages: readonly Language[]): { fields: string[]; body: Buffer } {
  const charset = isAscii(text) ? 'us-ascii' : 'utf-8';
  return { fields: [`Content-Type: text/plain; charset=${charset}`, `Content-Language: ${languages.join(', ')}`, encodingField(isAscii(text) ? '7bit' : '8bit')], body: Buffer.from(text) };
}

function originalPart(original: NonNullable<ReportOptions['original']>): { fields: string[]; body: Buffer } {
  const type = { ascii: { message: 'message/rfc822', headers: 'text/rfc822-headers' }, utf8: { message: 'message/global', headers: 'message/global-headers' } }[headerForm(original.bytes)][original.kind];
  return { fields: [`Content-Type: ${type}`, encodingField(original.bytes.some((byte) => byte >= 0x80) ? '8bit' : '7bit')], body: original.bytes };
}

function encodingField(encoding: '7bit' | '8bit'): string {
  return `Content-Transfer-Encoding: ${encoding}`;
}

/** RFC 6533 section 5: a header that is not ASCII has content types of its own; a body may be what it likes. */
function headerForm(bytes: Buffer): 'ascii' | 'utf8' {
  const end = bytes.indexOf('\r\n\r\n');
  return bytes.subarray(0, end === -1 ? bytes.length : end).some((byte) => byte >= 0x80) ? 'utf8' : 'ascii';
}

/** What others said must not begin a line of ours, nor make it too long. */
function oneLine(text: string): string {
  return Array.from(text, (character) => (character < ' ' || character === '\u007f' ? ' ' : character)).join('').slice(0, 800);
}

function isAscii(text: string): boolean {
  return Buffer.byteLength(text) === text.length;
}
