/** Which of our languages somebody reads. */
import { test } from 'node:test';
import assert from 'node:assert/strict';
import { preferredLanguage, spokenLanguage } from '../../../shared/language/language.ts';

test('of what a browser or an entry asks for, the language of ours that is wanted most', () => {
  const cases: readonly (readonly [string | undefined, string | undefined])[] = [
    [undefined, undefined], ['', undefined], ['*', undefined], ['fr', undefined], [';;,,;q=', undefined],
    ['de', 'de'], ['DE-at', 'de'], ['de_CH', 'de'], ['en-GB, de;q=0.9', 'en'], ['fr-FR,fr;q=0.9,de;q=0.8,en;q=0.7', 'de'],
    ['en;q=0.3, de;q=0.4', 'de'], ['de;q=0, en;q=0.1', 'en'], ['de;q=0', undefined], ['de, en', 'de'], ['en, de', 'en'], ['deu', undefined], ['den', undefined],
    [`${'fr,'.repeat(20)}de`, undefined], // only so many are looked at
    ['de;q=2.5, en', 'de'], // a quality that is none counts as given without
  ];
  for (const [header, language] of cases) assert.equal(preferredLanguage(header), language, header);
  assert.deepEqual([spokenLanguage('de-AT'), spokenLanguage(undefined), spokenLanguage('xx')], ['de', undefined, undefined]);
});
