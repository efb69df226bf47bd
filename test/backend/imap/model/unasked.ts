/** What comes unasked, and what a command brings beside its own answers: who of a session's models takes which response. */
import assert from 'node:assert/strict';
import type { Response } from './responses.ts';
import type { Expectation, SessionModel } from './session-model.ts';

/** Takes it, if it comes unasked: nothing else may then. */
export function isNews(model: SessionModel, response: Response, expectation: Expectation): boolean {
  if (response.kind === 'code' && response.code === 'PERMANENTFLAGS') return true;
  if (model.annotations?.hear(response) === 'taken') return true;
  if (model.sharedWatch?.hear(response, { ...model.looking, others: expectation.others }) === 'taken') return true;
  return model.hear(response, expectation) === 'taken' || model.watch?.hear(response, { ...model.looking, others: expectation.others }) === 'taken';
}

/** Whoever gives himself a right, or takes it from all, hears what he sees by that: he can't know it. */
export function changesRights({ text }: { readonly text: string }): boolean {
  return /^(?:SETACL|DELETEACL) /.test(text);
}

/** Whether STATUS responses answer the command itself. */
function isToldStatus({ text }: { readonly text: string }): boolean {
  return /^(?:STATUS|LIST|NOTIFY|RENAME) /.test(text);
}

/** Without what NOTIFY may still make a session hear, whatever it asks: of a mailbox that others changed while it had a name that is not watched, and annotations of what it has come to see. */
export function withoutLateNews({ watch, sharedWatch, looking }: SessionModel, command: { readonly text: string }, responses: readonly Response[]): readonly Response[] {
  const isLate = (one: Response): boolean =>
    !(one.kind === 'status' && isToldStatus(command)) && [watch, sharedWatch].some((each) => each?.mayHearLate(one) === true && each.hear(one, { ...looking, others: 'still' }) === 'taken');
  return responses.filter((one) => !isLate(one));
}

/** News of annotations come with whatever command. Answers the other responses. */
export function hearAnnotations({ annotations, watch, name }: SessionModel, responses: readonly Response[]): readonly Response[] {
  if (annotations === undefined) return responses;
  if (watch !== undefined) annotations.settle();
  const others = responses.filter((response) => annotations.hear(response) === 'of something else');
  assert.deepEqual([...annotations.owed], [], `${name}: was not told of annotations`);
  return others;
}
