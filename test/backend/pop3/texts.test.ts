/** One of something is told in the singular, in every language. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { maildropTexts } from '../../../backend/pop3/maildrop-texts.ts';

test('One message, and one octet, are told in the singular, in every language', () => {
  const { en, de } = maildropTexts;
  assert.deepEqual([en.opened(1, 1), en.octets(1), en.octets(2)], ['maildrop has 1 message (1 octet)', '1 octet', '2 octets']);
  assert.deepEqual([de.opened(1, 1), de.octets(1), de.octets(2)], ['das Postfach hat 1 Nachricht (1 Oktett)', '1 Oktett', '2 Oktette']);
});
