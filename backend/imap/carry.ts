/** Messages that are copied from one account to another, where no transaction spans both: bytes, flags and dates are carried over. */
import type { AppendMarks, CopyResult } from '../storage/storage.ts';
import { targetAt } from './append.ts';
import { Entering } from './entering.ts';
import { marksWithin } from './flag-rights.ts';
import type { HerePlace } from './place.ts';
import type { Progress } from './progress.ts';
import type { Session } from './session.ts';
import type { View } from './view.ts';

/** A message on its way. Its bytes are read once, before the next message is asked for. */
export interface CarriedMessage {
  /** In the mailbox that it comes from. */
  readonly uid: number;
  readonly size: number;
  readonly marks: AppendMarks & { readonly internalDateMs: number };
  readonly bytes: () => AsyncIterable<Buffer>;
}

const pieceBytes = 256 * 1024;

/** Of a mailbox of this node; messages that are gone are left out. */
export async function* carriedFrom(view: View, uids: readonly number[]): AsyncGenerator<CarriedMessage, void, void> {
  const { keywords: names } = view.mailbox.state();
  for (const uid of uids) {
    const row = view.mailbox.row(uid);
    const stored = view.mailbox.message(uid);
    if (row === undefined || stored === undefined) continue;
    const keywords = names.filter((_, bit) => ((row.keywords >>> bit) & 1) === 1);
    yield {
      uid, size: stored.size, marks: { flags: row.flags, keywords, keywordsBeyond: 'left-out', internalDateMs: row.internalDateMs },
      bytes: async function* (): AsyncGenerator<Buffer, void, void> {
        for (let at = 0; at < stored.size; at += pieceBytes) yield stored.read(at, Math.min(pieceBytes, stored.size - at));
      },
    };
  }
}

/** The same messages; the client hears how many have been carried. */
export async function* reported(messages: AsyncIterable<CarriedMessage>, progress: Progress): AsyncGenerator<CarriedMessage, void, void> {
  let done = 0;
  for await (const message of messages) {
    yield message;
    done += 1;
    await progress.report(done);
  }
}

/** Puts them into a mailbox of this node, all or none. @throws Failure, Refusal */
export async function carryInto(session: Session, place: HerePlace, messages: AsyncIterable<CarriedMessage>): Promise<CopyResult> {
  const entering = new Entering(targetAt(session, place));
  const sourceUids: number[] = [];
  const result = await entering.whole(session.log, async () => {
    for await (const { uid, size, marks, bytes } of messages) {
      await entering.add({ staged: await place.account.stage(bytes(), size), marks: marksWithin(place.rights, marks) });
      sourceUids.push(uid);
    }
  });
  return { ...result, sourceUids };
}
