/** The release of a leg is found however a stream is cut into pieces, and nothing else is taken for it or held back for long. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ReleaseWatch, isClaim, newLegTerms, parseLegTerms, releaseLength } from '../../../shared/legs/leg-terms.ts';
import type { LegTerms } from '../../../shared/legs/leg-terms.ts';

function someTerms(): LegTerms {
  const terms = parseLegTerms(newLegTerms());
  assert.ok(terms !== undefined);
  return terms;
}

/** What a client gets of a stream that comes in these pieces. */
function passed(watch: ReleaseWatch, pieces: readonly Buffer[]): Buffer {
  return Buffer.concat(pieces.map((piece) => watch.pass(piece)));
}

test('A release is found at every cut in three, and no byte of it is passed on.', () => {
  const terms = someTerms();
  const words = Buffer.from('* BYE goodbye\r\na OK LOGOUT completed\r\n');
  const stream = Buffer.concat([words, terms.release]);
  for (let first = 0; first <= stream.length; first += 1) {
    for (let second = first; second <= stream.length; second += 1) {
      const watch = new ReleaseWatch(terms);
      assert.deepEqual(passed(watch, [stream.subarray(0, first), stream.subarray(first, second), stream.subarray(second)]), words);
      assert.equal(watch.released, true);
    }
  }
  const watch = new ReleaseWatch(terms);
  assert.deepEqual(passed(watch, [...stream].map((byte) => Buffer.of(byte))), words);
  assert.equal(watch.released, true);
});

test('Another leg\'s release, one that is not the end, and all its beginnings are mail like any other.', () => {
  const terms = someTerms();
  const texts = [someTerms().release, Buffer.concat([terms.release, Buffer.from('\r\n')]), Buffer.from('\0\0\0\0'), Buffer.alloc(100), Buffer.concat([terms.release.subarray(0, -1), Buffer.from('\r\n')]),
    ...Array.from({ length: releaseLength }, (_, length) => Buffer.concat([terms.release.subarray(0, length), terms.release.subarray(0, -1), Buffer.from(')\r\n')]))];
  for (const text of texts) {
    const whole = Buffer.concat([text, Buffer.from('\n')]);
    for (let cut = 0; cut <= whole.length; cut += 1) {
      const pieces = [whole.subarray(0, cut), whole.subarray(cut)];
      // A cut right behind the secret is the end, as far as anybody can see: a back-end says nothing behind it.
      if (pieces[0]?.subarray(-releaseLength).equals(terms.release) === true) continue;
      const watch = new ReleaseWatch(terms);
      assert.deepEqual(passed(watch, pieces), whole);
      assert.equal(watch.released, false);
    }
  }
});

test('What ends with a line feed is never held back.', () => {
  const terms = someTerms();
  for (let length = 1; length < releaseLength; length += 1) {
    const line = Buffer.concat([Buffer.from('* 1 FETCH '), terms.release.subarray(0, length), Buffer.from('\n')]);
    assert.deepEqual(new ReleaseWatch(terms).pass(line), line);
  }
});

test('Terms are new each time, the release does not tell the claim, and nothing else is taken for terms.', () => {
  const texts = new Set(Array.from({ length: 1000 }, newLegTerms));
  assert.equal(texts.size, 1000);
  for (const text of [undefined, '', 'x'.repeat(64), 'a'.repeat(63), 'A'.repeat(64), `${'a'.repeat(64)}\n`]) assert.equal(parseLegTerms(text), undefined);
  const terms = someTerms();
  assert.ok(isClaim(terms.claim, terms));
  assert.ok(!terms.release.includes(terms.claim));
  for (const line of ['', terms.claim.slice(1), `${terms.claim}0`, someTerms().claim, terms.release.toString('latin1', 1)]) assert.ok(!isClaim(line, terms));
});
