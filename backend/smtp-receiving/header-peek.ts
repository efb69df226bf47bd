/** Looks at a message's header section as it arrives, before anything is written: its length, loops, and what a submission lacks. Small messages are all here then. */
import { addJoined, joined } from '../../shared/base/joined.ts';
import { withinHeaderLimit } from '../../shared/mime/header-end.ts';
import { makeReply } from '../../shared/smtp/reply.ts';
import { SmtpRefused } from '../../shared/smtp/refusal.ts';
import type { MessageBytes } from '../storage/storage.ts';

/** What is of interest in a header section. */
export interface HeaderFacts {
  readonly receivedFields: number;
  readonly hasDate: boolean;
  readonly hasMessageId: boolean;
  /** Its length as far as it was looked at, and whether that was all of it. */
  readonly bytes: number;
  readonly ends: 'here' | 'later';
}

/** A longer header section is only looked at so far. A message up to this size is read to its end: storing it holds as much in memory, and what is all here costs less. */
const maxPeekBytes = 256 * 1024;

/**
 * Reads the beginning, then runs `work` with what was found and the whole message from its start. Lets go of the
 * source when `work` has not read to the end, so that the session can read over the rest. Throws what source or work throw,
 * and SmtpRefused (552 5.3.4) where the header section is longer than `maxBytes`: before `work`, or in its reading.
 */
export async function peekHeader<T>(source: AsyncIterable<Buffer>, maxBytes: number, work: (facts: HeaderFacts, bytes: MessageBytes) => Promise<T>): Promise<T> {
  const refusal = (): SmtpRefused => new SmtpRefused('message', makeReply(552, '5.3.4', `the header section has more than ${String(Math.floor(maxBytes / 1024))} kilobytes`));
  const iterator = source[Symbol.asyncIterator]();
  try {
    const { facts, pieces, end } = await readBeginning(iterator);
    if (facts.bytes > maxBytes) throw refusal();
    if (end === 'reached') return await work(facts, pieces);
    const whole = rejoined(pieces, iterator);
    return await work(facts, facts.ends === 'here' ? whole : withinHeaderLimit(whole, maxBytes, refusal));
  } finally {
    await iterator.return?.();
  }
}

interface Beginning {
  readonly pieces: Buffer[];
  readonly facts: HeaderFacts;
  readonly end: 'reached' | 'not yet';
}

async function readBeginning(iterator: AsyncIterator<Buffer>): Promise<Beginning> {
  const pieces: Buffer[] = [];
  let length = 0;
  /** As much of them as has the header section, if they have all of it. */
  let head: Buffer = Buffer.alloc(0);
  let found: 'yes' | 'no' = 'no';
  while (length < maxPeekBytes) {
    const next = await iterator.next();
    if (next.done === true) return { pieces, facts: factsOf(found === 'yes' ? head : joined(pieces)), end: 'reached' };
    addJoined(pieces, next.value);
    length += next.value.length;
    // Joined anew only when it has doubled, so that a header in tiny pieces costs no more than one in large pieces.
    if (found === 'yes' || length < head.length * 2) continue;
    head = joined(pieces);
    if (endOfHeader(head) !== -1) found = 'yes';
  }
  return { pieces, facts: factsOf(found === 'yes' ? head : joined(pieces)), end: 'not yet' };
}

/** Uses the pieces up: a large message may take long, and its beginning is not to be held meanwhile. */
async function* rejoined(pieces: Buffer[], iterator: AsyncIterator<Buffer>): AsyncGenerator<Buffer, void, void> {
  pieces.reverse();
  for (let piece = pieces.pop(); piece !== undefined; piece = pieces.pop()) yield piece;
  for (;;) {
    const next = await iterator.next();
    if (next.done === true) return;
    yield next.value;
  }
}

/** Where the empty line begins; 0 for a message without header. */
function endOfHeader(head: Buffer): number {
  if (head.subarray(0, 2).toString('latin1') === '\r\n') return 0;
  return head.indexOf('\r\n\r\n');
}

function factsOf(head: Buffer): HeaderFacts {
  const end = endOfHeader(head);
  const bytes = end === -1 ? head.length : end;
  const header = head.subarray(0, bytes).toString('latin1');
  return {
    bytes, ends: end === -1 ? 'later' : 'here',
    receivedFields: header.match(/^received[ \t]*:/gimu)?.length ?? 0,
    hasDate: /^date[ \t]*:/imu.test(header),
    hasMessageId: /^message-id[ \t]*:/imu.test(header),
  };
}
