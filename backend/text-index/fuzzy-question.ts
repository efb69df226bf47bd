/** A FUZZY question about the text of a message (RFC 6203), and its score by looking into it. */
import type { StoredMessage } from '../storage/storage.ts';
import { fuzzyWord, likeness } from './likeness.ts';
import type { FuzzyWord } from './likeness.ts';
import { fieldsOf, fieldText, hearTexts, isText, partsOf, subjectText, valueText } from './message-texts.ts';
import { holds } from './question.ts';
import type { TextQuestion } from './question.ts';
import { scanTokens } from './tokens.ts';

/** What holds the very text. */
export const exactScore = 100;
/** Words beyond these say nothing more. */
const mostWords = 16;

/** The words of the text asked for; none when it has no letters. */
export function wordsOf({ value }: TextQuestion): readonly FuzzyWord[] {
  const words = new Set<string>();
  scanTokens(value, { word: (token) => words.add(token), pieces: () => undefined });
  return [...words].slice(0, mostWords).map(fuzzyWord);
}

/** 0 for no match, else up to 100. All words must be alike to some word of the text. Rejects as `holds`. */
export async function fuzzyScore(message: StoredMessage, question: TextQuestion): Promise<number> {
  if (await holds(message, question)) return exactScore;
  const words = wordsOf(question);
  if (words.length === 0) return 0;
  const best = words.map(() => 0);
  const seen = new Set<string>();
  await hearQuestioned(message, question, (text) => scanTokens(text, {
    word: (token) => {
      if (seen.has(token)) return;
      seen.add(token);
      for (const [index, word] of words.entries()) best[index] = Math.max(best[index] ?? 0, likeness(word, token));
    },
    pieces: () => undefined,
  }));
  return scoreOf(best);
}

/** Of the scores of all words. */
export function scoreOf(best: readonly number[]): number {
  return best.includes(0) ? 0 : Math.round(best.reduce((sum, score) => sum + score, 0) / best.length);
}

/** All texts that the question is about. */
async function hearQuestioned(message: StoredMessage, question: TextQuestion, hear: (text: string) => void): Promise<void> {
  const { root } = message.structure;
  if (question.in === 'header') {
    if (question.name === 'subject') return hear(subjectText(message));
    for (const field of await fieldsOf(message, root)) if (field.name === question.name) hear(valueText(field));
    return;
  }
  for (const part of partsOf(root)) {
    if (question.in === 'text') for (const field of await fieldsOf(message, part)) hear(fieldText(field));
    const [enclosed] = part.type === 'message' ? part.children : [];
    if (enclosed !== undefined) for (const field of await fieldsOf(message, enclosed)) hear(fieldText(field));
    if (isText(part)) await hearTexts(message, part, { hear: ({ text }) => {
      hear(text);
      return 'more';
    } });
  }
}
