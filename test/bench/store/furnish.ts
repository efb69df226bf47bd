/** Puts the sample messages into mailboxes, over IMAP as anybody would. */
import type { Furnishing } from './cell.ts';
import { imapSession } from './mail-store.ts';
import type { MailStore } from './mail-store.ts';
import { sampleMail } from './sample-mail.ts';

/** In one command: an answer is waited for as seldom as may be (our servers take 1000). */
const batchSize = 500;

export async function furnish(store: MailStore, needs: readonly Furnishing[]): Promise<void> {
  for (const { user, mailbox, messages } of needs) {
    const wire = await imapSession(store, user);
    try {
      if (mailbox !== 'INBOX') await wire.ask(`c CREATE ${mailbox}\r\n`, 'c OK');
      for (let from = 0; from < messages; from += batchSize) {
        const pieces = Array.from({ length: Math.min(batchSize, messages - from) }, (_, index) => literal(from + index)).flat();
        await wire.ask(Buffer.concat([Buffer.from(`a APPEND ${mailbox}`), ...pieces, Buffer.from('\r\n')]), 'a OK');
      }
    } finally {
      wire.end();
    }
  }
}

/** Two in three are read, one in ten is flagged. */
function literal(number: number): readonly Buffer[] {
  const mail = sampleMail(number);
  const flags = [...(number % 3 === 0 ? [] : ['\\Seen']), ...(number % 10 === 0 ? ['\\Flagged'] : [])].join(' ');
  return [Buffer.from(` (${flags}) {${String(mail.length)}+}\r\n`), mail];
}
