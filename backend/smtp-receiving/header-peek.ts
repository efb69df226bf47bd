/** Looks at a message's header section as it arrives, before anything is written: loops, and what a submission lacks. */

/** What is of interest in a header section. */
export interface HeaderFacts {
  readonly receivedFields: number;
  readonly hasDate: boolean;
  readonly hasMessageId: boolean;
}

/** A longer header section is only looked at so far. */
const maxPeekBytes = 256 * 1024;

/**
 * Reads until the empty line, then runs `work` with what was found and the whole message from its start. Lets go of the
 * source when `work` has not read to the end, so that the session can read over the rest. Throws what source or work throw.
 */
export async function peekHeader<T>(source: AsyncIterable<Buffer>, work: (facts: HeaderFacts, bytes: AsyncIterable<Buffer>) => Promise<T>): Promise<T> {
  const iterator = source[Symbol.asyncIterator]();
  try {
    const head = await readHead(iterator);
    return await work(factsOf(head), rejoined(head, iterator));
  } finally {
    await iterator.return?.();
  }
}

async function readHead(iterator: AsyncIterator<Buffer>): Promise<Buffer> {
  const pieces: Buffer[] = [];
  let length = 0;
  let head = Buffer.alloc(0);
  for (;;) {
    const next = await iterator.next();
    if (next.done === true) break;
    pieces.push(next.value);
    length += next.value.length;
    // Joined anew only when it has doubled, so that a header in tiny pieces costs no more than one in large pieces.
    if (length < head.length * 2 && length < maxPeekBytes) continue;
    head = Buffer.concat(pieces);
    if (endOfHeader(head) !== -1 || length >= maxPeekBytes) break;
  }
  return Buffer.concat(pieces);
}

async function* rejoined(head: Buffer, iterator: AsyncIterator<Buffer>): AsyncGenerator<Buffer, void, void> {
  if (head.length > 0) yield head;
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
  const header = head.subarray(0, end === -1 ? head.length : end).toString('latin1');
  return {
    receivedFields: header.match(/^received[ \t]*:/gimu)?.length ?? 0,
    hasDate: /^date[ \t]*:/imu.test(header),
    hasMessageId: /^message-id[ \t]*:/imu.test(header),
  };
}
