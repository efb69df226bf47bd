/** Lots of messages, for the tests of what enters a mailbox in lots. */
import type { Lots, Storage } from '../../../backend/storage/storage.ts';
import { inPieces, sampleMessage } from './harness.ts';

/** One lot of messages with these subjects. */
export async function enterLot({ storage, address }: { readonly storage: Storage; readonly address: string }, lots: Lots, subjects: readonly string[]): Promise<void> {
  const account = await storage.createAccount(address);
  const messages = await Promise.all(subjects.map(async (subject) => ({
    staged: await account.stage(inPieces(sampleMessage(subject)), 10_000),
    marks: { flags: 0, keywords: ['$Copied'] },
  })));
  await lots.add(messages);
  await Promise.all(messages.map(async ({ staged }) => staged.discard()));
}
