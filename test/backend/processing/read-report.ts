/** Takes a delivery status notification apart, for tests to look at. */
import PostalMime from 'postal-mime';

export interface ReadReport {
  readonly subject: string;
  readonly returnPath: string | undefined;
  readonly contentType: string;
  readonly text: string;
  /** Blocks of the delivery-status part. */
  readonly status: readonly ReadonlyMap<string, string>[];
  readonly original: { readonly type: string; readonly text: string };
}

export async function readReport(message: string): Promise<ReadReport> {
  const email = await PostalMime.parse(message, { rfc822Attachments: true, forceRfc822Attachments: true });
  const field = (key: string): string => email.headers.find((header) => header.key === key)?.value ?? '';
  const part = (pattern: RegExp): { type: string; text: string } => {
    const found = email.attachments.find(({ mimeType }) => pattern.test(mimeType));
    const content = found?.content;
    return { type: found?.mimeType ?? '', text: typeof content === 'string' ? content : Buffer.from(content instanceof ArrayBuffer ? new Uint8Array(content) : content ?? []).toString() };
  };
  const blocks = part(/delivery-status/u).text.trim().split(/\r?\n\r?\n/u);
  const status = blocks.map((block) => new Map(block.split(/\r?\n/u).map((line): [string, string] => {
    const colon = line.indexOf(':');
    return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()];
  })));
  return { subject: email.subject ?? '', returnPath: /^Return-Path: (.*)\r$/mu.exec(message)?.[1], contentType: field('content-type'), text: email.text ?? '', status, original: part(/rfc822|global(?:-headers)?$/u) };
}
