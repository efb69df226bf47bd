/** A vocabulary finds the tokens that a look at each finds, large ones by their filter too. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { filterBytes, GramFilter, notedAtOnce } from '../../../backend/text-index/gram-filter.ts';
import { Vocabulary } from '../../../backend/text-index/vocabulary.ts';
import type { Match } from '../../../backend/text-index/vocabulary.ts';
import { Dice } from '../../torture/dice.ts';

const seed = Number(process.env['WAYBILL_FUZZ_SEED'] ?? Date.now() % 1_000_000);

const isMatch: Readonly<Record<Match, (token: string, text: string) => boolean>> = {
  holds: (token, text) => token.includes(text), begins: (token, text) => token.startsWith(text), ends: (token, text) => token.endsWith(text), is: (token, text) => token === text,
};

/** Different ones, ascending; few letters, so that many hold the same. */
function tokensOf(dice: Dice, count: number, letters: string): string[] {
  const tokens = new Set<string>();
  while (tokens.size < count) tokens.add(Array.from({ length: 1 + dice.below(14) }, () => letters.charAt(dice.below(letters.length))).join(''));
  return [...tokens].sort();
}

function vocabularyOf(tokens: readonly string[]): { readonly vocabulary: Vocabulary; readonly text: string; readonly starts: Uint32Array } {
  const text = `\n${tokens.join('\n')}\n`;
  let at = 1;
  const starts = Uint32Array.from([...tokens, ''], (token) => {
    const start = at;
    at += token.length + 1;
    return start;
  });
  return { vocabulary: new Vocabulary(text, starts, { lists: new Uint32Array(starts.length), places: undefined }), text, starts };
}

test(`What a vocabulary finds is what a look at each token finds (seed ${String(seed)})`, () => {
  const dice = new Dice(seed);
  for (const [count, letters] of [[300, 'AB1'], [40_000, 'ABCDEFGHIKLMNORSTU0123'], [40_000, 'ΑΒΓΔΕЖ日本語Z']] as const) {
    const tokens = tokensOf(dice, count, letters);
    const { vocabulary } = vocabularyOf(tokens);
    let found = 0;
    for (let asked = 0; asked < 12; asked += 1) {
      const token = dice.pick(tokens);
      const from = dice.below(token.length);
      const text = dice.oneIn(8) ? `${token}Z` : token.slice(from, from + 1 + dice.below(token.length - from));
      for (const match of ['holds', 'begins', 'ends', 'is'] as const) {
        const truth = tokens.flatMap((one, index) => (isMatch[match](one, text) ? [index] : []));
        assert.deepEqual(vocabulary.find(text, match), truth, `${match} ${text}`);
        found += truth.length;
      }
    }
    assert.ok(found > 12);
  }
});

function wholeFilter(text: string, starts: Uint32Array): GramFilter {
  const filter = new GramFilter(text, starts);
  assert.equal(filter.grow(Infinity), 'whole');
  return filter;
}

test('The filter of a large vocabulary is made by and by, by no search as a whole, and what is found is the same meanwhile', () => {
  const tokens = Array.from({ length: 100_000 }, (_, index) => `TOKEN${String(index).padStart(6, '0')}`);
  const { vocabulary, text, starts } = vocabularyOf(tokens);
  const filter = new GramFilter(text, starts);
  const steps = Math.ceil(text.length / notedAtOnce);
  for (let step = 1; step < steps; step += 1) assert.equal(filter.grow(), 'in part', `${String(step)} of ${String(steps)} steps`);
  assert.equal(filter.grow(), 'whole');
  assert.ok(steps >= 4);
  for (let search = 0; search < steps + 2; search += 1) assert.deepEqual(vocabulary.find('N09999', 'holds'), Array.from({ length: 10 }, (_, index) => 99_990 + index));
});

test('Of a large vocabulary a text is looked for in few places', () => {
  const dice = new Dice(seed);
  const { text, starts } = vocabularyOf(tokensOf(dice, 40_000, 'ABCDEFGHIKLMNORSTU'));
  assert.ok(filterBytes(text.length, starts.length - 1) > 0);
  const stretches = wholeFilter(text, starts).stretches('ABCDEFGHIK') ?? [];
  assert.ok(stretches.length <= 3, `${String(stretches.length)} of ${String(Math.ceil(starts.length / 64))} stretches`);
});

test('Each token of a large vocabulary is in one of the places where it is looked for, up to its end', () => {
  const tokens = tokensOf(new Dice(seed), 40_000, 'ABCDEFGHIKLMNORSTU');
  const { text, starts } = vocabularyOf(tokens);
  const filter = wholeFilter(text, starts);
  for (const [index, token] of tokens.entries()) {
    const end = `${token}\n`.slice(-6);
    const isThere = filter.stretches(end)?.some(({ firstToken }) => firstToken === index - (index % 64)) ?? end.length < 3;
    assert.ok(isThere, `${token}, the token ${String(index)}`);
  }
});
