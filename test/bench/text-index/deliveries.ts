/** Puts mail into a storage, past all protocols: many messages at once to have them, or as deliveries come to see how fast. */
import type { Storage } from '../../../backend/storage/storage.ts';
import { mailboxOf } from '../../backend/imap/harness.ts';
import type { BenchMail } from './bench-mail.ts';

export interface DeliveryTarget {
  readonly storage: Storage;
  readonly address: string;
}

export interface Amount {
  readonly messages: number;
  readonly messageBytes: number;
}

const together = 50;

export async function addMessages({ storage, address }: DeliveryTarget, mail: BenchMail, { messages, messageBytes }: Amount): Promise<void> {
  const account = await storage.createAccount(address);
  const mailbox = mailboxOf(account, 'INBOX');
  for (let added = 0; added < messages; added += together) {
    const staged = await Promise.all(Array.from({ length: Math.min(together, messages - added) }, async () => account.stage(once(mail.message(messageBytes)), 10 * messageBytes)));
    await mailbox.append(staged.map((one) => ({ staged: one, marks: { flags: 0, keywords: [] } })));
    await Promise.all(staged.map(async (one) => one.discard()));
  }
}

/** Deliveries in a second, each durable by itself. */
export async function deliverAtOnce({ storage, address }: DeliveryTarget, mail: BenchMail, { messages, messageBytes, atOnce }: Amount & { readonly atOnce: number }): Promise<number> {
  const account = await storage.createAccount(address);
  const mailbox = mailboxOf(account, 'INBOX');
  const bytes = Array.from({ length: 500 }, () => mail.message(messageBytes));
  let left = messages;
  const deliver = async (): Promise<void> => {
    while (left > 0) {
      left -= 1;
      const staged = await account.stage(once(bytes[left % bytes.length] ?? Buffer.alloc(0)), 10 * messageBytes);
      await mailbox.append([{ staged, marks: { flags: 0, keywords: [] } }]);
      await staged.discard();
    }
  };
  const beganMs = performance.now();
  await Promise.all(Array.from({ length: atOnce }, deliver));
  return messages / ((performance.now() - beganMs) / 1000);
}

async function* once(bytes: Buffer): AsyncGenerator<Buffer, void, void> {
  yield bytes;
}
