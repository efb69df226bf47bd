/** Messages that are copied from one account to another, where no transaction spans both: bytes, flags and dates are carried over. */
import { Failure } from '../../shared/base/failure.ts';
import type { AppendMarks, CopyResult, StagedMessage } from '../storage/storage.ts';
import { targetAt } from './append.ts';
import { marksWithin } from './flag-rights.ts';
import type { HerePlace } from './place.ts';
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

/** All of one command enter together, so they are held until the last is there. */
export const mostCarried = 1000;
const pieceBytes = 256 * 1024;

/** @throws Failure('limit') */
export function requireFew(count: number): void {
  if (count > mostCarried) throw new Failure('limit', `at most ${String(mostCarried)} messages at a time can be copied to or from somebody else's folder`);
}

/** Of a mailbox of this node; messages that are gone are left out. */
export async function* carriedFrom(view: View, uids: readonly number[]): AsyncGenerator<CarriedMessage, void, void> {
  const { keywords: names } = view.mailbox.state();
  for (const uid of uids) {
    const row = view.mailbox.row(uid);
    const stored = view.mailbox.message(uid);
    if (row === undefined || stored === undefined) continue;
    const keywords = names.filter((_, bit) => ((row.keywords >>> bit) & 1) === 1);
    yield {
      uid, size: stored.size, marks: { flags: row.flags, keywords, internalDateMs: row.internalDateMs },
      bytes: async function* (): AsyncGenerator<Buffer, void, void> {
        for (let at = 0; at < stored.size; at += pieceBytes) yield stored.read(at, Math.min(pieceBytes, stored.size - at));
      },
    };
  }
}

/** Puts them into a mailbox of this node, all or none. @throws Failure, Refusal */
export async function carryInto(session: Session, place: HerePlace, messages: AsyncIterable<CarriedMessage>): Promise<CopyResult> {
  const mailbox = targetAt(place);
  const incoming: { readonly staged: StagedMessage; readonly marks: AppendMarks }[] = [];
  const sourceUids: number[] = [];
  try {
    for await (const { uid, size, marks, bytes } of messages) {
      incoming.push({ staged: await session.options.storage.stage(place.account.address, bytes(), size), marks: marksWithin(place.rights, marks) });
      sourceUids.push(uid);
    }
    if (incoming.length === 0) return { uidValidity: mailbox.state().uidValidity, uids: [], sourceUids: [] };
    return { ...await mailbox.append(incoming), sourceUids };
  } finally {
    await Promise.all(incoming.map(async ({ staged }) => staged.discard()));
  }
}
