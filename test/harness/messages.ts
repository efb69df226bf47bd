/** Messages for tests, each with a subject that no other has. */
import { randomUUID } from 'node:crypto';

export interface TestMessage {
  /** The whole subject; one word. */
  readonly subject: string;
  readonly bytes: Buffer;
}

export function newMessage(options: { readonly from?: string; readonly to?: string; readonly text?: string } = {}): TestMessage {
  const subject = `about-${randomUUID()}`;
  const { from = 'sender@example.net', to = 'somebody@example.com', text = 'Hello.\r\n' } = options;
  const header = [`From: ${from}`, `To: ${to}`, `Subject: ${subject}`, `Message-ID: <${subject}@example.net>`, 'Date: Tue, 24 Nov 2026 10:00:00 +0000'];
  return { subject, bytes: Buffer.from(`${header.join('\r\n')}\r\n\r\n${text}`) };
}

