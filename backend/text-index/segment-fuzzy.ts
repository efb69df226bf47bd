/** The scores that messages of a segment have for a FUZZY question, as far as the segment can tell. */
import { exactScore, scoreOf, wordsOf } from './fuzzy-question.ts';
import { likeness } from './likeness.ts';
import type { FuzzyWord } from './likeness.ts';
import { decodeList, hasRank } from './posting-list.ts';
import type { TextQuestion } from './question.ts';
import { answerOf, fieldsOf, isOneField } from './segment-answer.ts';
import type { Segment, Table } from './segment-file.ts';

/** In the place of a score: the message must be looked into. */
export const unknownScore = 255;

/** A score for each rank; undefined when tokens can't tell. Throws DamagedIndex. */
export async function scoresOf(segment: Segment, question: TextQuestion): Promise<Uint8Array | undefined> {
  const exact = await answerOf(segment, question);
  const words = wordsOf(question);
  if (exact === undefined || !isOneField(question)) return undefined;
  const best: Uint8Array[] = [];
  for (const word of words) best.push(await bestOf(segment, question, word));
  const scores = new Uint8Array(segment.uids.length);
  for (let rank = 0; rank < scores.length; rank += 1) {
    if (hasRank(exact.proven, rank)) scores[rank] = exactScore;
    else if (hasRank(exact.candidates, rank)) scores[rank] = unknownScore;
    else if (best.length > 0) scores[rank] = scoreOf(best.map((ofWord) => ofWord[rank] ?? 0));
  }
  return scores;
}

/** For each message the score of its word that is most alike. */
async function bestOf(segment: Segment, question: TextQuestion, word: FuzzyWord): Promise<Uint8Array> {
  const best = new Uint8Array(segment.uids.length);
  for (const field of fieldsOf(question)) {
    for (const table of segment.tablesOf(field, 'word')) {
      const alike = alikeIn(table, word);
      await segment.hearLists(alike.map(({ place }) => place), (list, index) => {
        const score = alike[index]?.score ?? 0;
        for (const rank of decodeList(list)) if ((best[rank] ?? 0) < score) best[rank] = score;
      });
    }
  }
  return best;
}

function alikeIn({ vocabulary }: Table, word: FuzzyWord): { readonly place: { readonly from: number; readonly to: number }; readonly score: number }[] {
  const initial = word.bare.charAt(0);
  if (initial === '') return [];
  return vocabulary.find(initial, 'begins').flatMap((index) => {
    const score = likeness(word, vocabulary.token(index));
    return score === 0 ? [] : [{ place: vocabulary.list(index), score }];
  });
}
