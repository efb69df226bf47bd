/** i;unicode-casemap: the examples of RFC 5051 and what it means for search and order. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { casemap, casemapOrder } from '../../../shared/mime/casemap.ts';

test('the example of RFC 5051 section 2: DZ with caron becomes D, z, caron', () => {
  for (const form of ['\u01c4', '\u01c5', '\u01c6']) assert.equal(casemap(form), 'Dz\u030c');
});

test('cases, compatibility forms and composed letters are the same; a letter is found in one with an accent', () => {
  assert.equal(casemap('GRÜSSE ａｂ'), casemap('gru\u0308sse AB'));
  assert.equal(casemap('ΣΊΣΥΦΟΣ'), casemap('σίσυφοσ'));
  assert.ok(casemap('Zoë Müller').includes(casemap('ZOE')));
  assert.equal(casemap('Пример'), casemap('ПРИМЕР'));
});

test('one character stays one: sharp s is no SS, a ligature no capital letters', () => {
  assert.equal(casemap('Straße'), 'STRAßE');
  assert.equal(casemap('ﬁn'), 'fiN');
  assert.equal(casemap('ა'), 'ა');
  assert.equal(casemap('ᾳᾀ'), 'ᾼᾈ'.normalize('NFKD'));
});

test('every other character of the first plane becomes its capital, taken apart', () => {
  let longer = 0;
  for (let code = 0; code < 0xffff; code += 1) {
    const letter = String.fromCharCode(code);
    const capital = letter.toUpperCase();
    if (capital.length > 1) {
      longer += 1;
      // No titlecase of one character is made of several: only its own composition may lengthen it.
      assert.ok(casemap(letter).length <= letter.normalize('NFKD').length, letter);
    } else if (!/[Ǆ-ǌǱ-ǳა-ჺჽ-ჿ]/.test(letter)) assert.equal(casemap(letter), capital.normalize('NFKD'), letter);
  }
  assert.ok(longer > 80);
});

test('order is by code points, beyond the first plane too', () => {
  const texts = ['\u{1f600}', '\uff5e', '\ue000', 'Z', 'a', 'É', 'f', ''];
  const ordered = texts.toSorted((one, other) => (casemapOrder(one) < casemapOrder(other) ? -1 : 1));
  // ～ is compatible with ~.
  assert.deepEqual(ordered, ['', 'a', 'É', 'f', 'Z', '\uff5e', '\ue000', '\u{1f600}']);
});
