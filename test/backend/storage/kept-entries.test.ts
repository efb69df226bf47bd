/** Records that are not decoded twice: what is answered is what the bytes say, whatever becomes of the memory they came in. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { KeptEntries } from '../../../backend/storage/kept-entries.ts';

interface Entry { readonly count: number }

const bytesOf = (entry: object): Buffer => Buffer.from(JSON.stringify(entry));

test('A record with the same bytes is the same object, with others it is what these say, of whomever they come', () => {
  const kept = new KeptEntries<Entry>();
  const shared = bytesOf({ count: 1 });
  const first = kept.decode('a', shared);
  bytesOf({ count: 7 }).copy(shared); // as the index does with the next question
  assert.equal(kept.decode('a', bytesOf({ count: 1 })), first);
  assert.deepEqual(kept.decode('a', shared), { count: 7 }, 'another process wrote it');
  kept.keep('a', { bytes: bytesOf({ count: 3 }), entry: { count: 3 } });
  assert.deepEqual(kept.decode('a', bytesOf({ count: 2 })), { count: 2 }, 'what was kept was undone');
  assert.deepEqual(kept.decode('b', bytesOf({ count: 2 })), { count: 2 });
});

test('Kept records hold no more memory than their bytes: not the pieces in which small buffers are made', () => {
  const kept = new KeptEntries<Entry>();
  gc();
  const before = process.memoryUsage().arrayBuffers;
  const count = 4000;
  for (let number = 0; number < count; number += 1) {
    kept.keep(number, { bytes: bytesOf({ count: number }), entry: { count: number } });
    Buffer.from('x'.repeat(3900)); // others make small buffers, too
  }
  gc();
  assert.ok(process.memoryUsage().arrayBuffers - before < count * 1000);
  assert.deepEqual(kept.decode(0, bytesOf({ count: 0 })), { count: 0 });
});

function gc(): void {
  setFlagsFromString('--expose-gc');
  (runInNewContext('gc') as () => void)();
}
