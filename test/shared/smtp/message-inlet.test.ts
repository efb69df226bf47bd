/** A message on its way to its reader: everything comes in order, a reader that is slow holds the client up, and a reason to refuse it comes before its end. */
import { test } from 'node:test';
import assert from 'node:assert/strict';
import { isFailure } from '../../../shared/base/failure.ts';
import { MessageInlet } from '../../../shared/smtp/message-inlet.ts';
import { SmtpRefused } from '../../../shared/smtp/refusal.ts';

const piece = Buffer.alloc(40 * 1024, 'x');

/** Pushes so many pieces while it is let go on; answers how many. */
function pushWhileLet(inlet: MessageInlet, most: number, bytes = piece): () => number {
  let pushed = 0;
  const more = (): void => {
    if (pushed === most) return;
    pushed += 1;
    inlet.push(bytes, more);
  };
  more();
  return () => pushed;
}

test('the client waits for a slow reader, and all comes in order', async () => {
  const inlet = new MessageInlet(Infinity);
  const pushed = pushWhileLet(inlet, 10);
  assert.equal(pushed(), 2, 'so much waits');
  let read = 0;
  for await (const bytes of inlet) {
    read += 1;
    assert.equal(bytes, piece);
    assert.ok(pushed() <= read + 2);
    if (read === 10) inlet.end();
  }
  assert.deepEqual([read, inlet.byteLength], [10, 10 * piece.length]);
});

test('a client that sends byte by byte is held up after some, for each takes memory beside itself; the reader lets it go on', async () => {
  const inlet = new MessageInlet(Infinity);
  const pushed = pushWhileLet(inlet, 2000, Buffer.from('x'));
  assert.ok(pushed() < 200, `${String(pushed())} pieces wait`);
  let read = 0;
  for await (const bytes of inlet) {
    read += bytes.length;
    if (pushed() === 2000) inlet.end();
  }
  assert.equal(read, 2000);
});

test('when the reader leaves the rest is thrown away as it comes', async () => {
  const inlet = new MessageInlet(Infinity);
  const pushed = pushWhileLet(inlet, 10);
  for await (const bytes of inlet) {
    assert.equal(bytes, piece);
    break;
  }
  assert.deepEqual([pushed(), inlet.byteLength], [10, 10 * piece.length]);
});

test('a message that is never whole, too big, or has a defect is never read to its end', async () => {
  const read = async (spoil: (inlet: MessageInlet) => void): Promise<unknown> => {
    const inlet = new MessageInlet(piece.length);
    inlet.push(piece, () => undefined);
    const reading = (async () => {
      for await (const bytes of inlet) assert.equal(bytes, piece);
    })().then(() => 'read to the end', (thrown: unknown) => thrown);
    await Promise.resolve();
    spoil(inlet);
    inlet.end();
    return reading;
  };
  assert.equal(await read(() => undefined), 'read to the end');
  assert.ok(isFailure(await read((inlet) => inlet.cut('gone')), 'bad-input'));
  for (const [spoil, code] of [[(inlet: MessageInlet) => inlet.push(Buffer.from('y'), () => undefined), 552], [(inlet: MessageInlet) => { inlet.defect = 'NUL'; }, 550]] as const) {
    const thrown = await read(spoil);
    assert.ok(thrown instanceof SmtpRefused);
    assert.equal(thrown.reply.code, code);
  }
});
