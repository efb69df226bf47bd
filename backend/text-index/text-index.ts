/**
 * The face of the room: searching texts of messages. `holds` looks into a message and is always right; `TextAnswers` says by
 * an index beside the storage which messages need no look. The index can be dropped at any time and is made anew by a process
 * of its own; mail never waits for it.
 */
export { IndexCare } from './index-care.ts';
export { fuzzyScore } from './fuzzy-question.ts';
export { fieldsAsked, holds, linesHold, searchedText } from './question.ts';
export type { HeaderQuestion, TextQuestion } from './question.ts';
export { TextAnswers, Verdict } from './text-answers.ts';
export type { IndexedMailboxes } from './text-answers.ts';
export { unknownScore } from './segment-fuzzy.ts';
export { TextIndexing } from './text-indexing.ts';
export { isIndexing } from './writer-lock.ts';
