/** Where the messages of a segment stand in a list of uids, for which a segment's answers are entered into those for the list. */
import { lowerBound } from '../../shared/base/lower-bound.ts';
import type { Segment } from './segment-file.ts';

/** From which position on they stand side by side, without others between them; -1 when they do not. Lists of uids never change, and sessions share them. */
const known = new WeakMap<readonly number[], WeakMap<Segment, number>>();

/** Enters what the segment says of the messages that it has. */
export function enter(segment: Segment, ofSegment: Uint8Array, { uids, answers }: { readonly uids: readonly number[]; readonly answers: Uint8Array }): void {
  const from = sideBySide(segment, uids);
  if (from >= 0) answers.set(ofSegment, from);
  else enterEach(segment, ofSegment, { uids, answers });
}

function sideBySide(segment: Segment, uids: readonly number[]): number {
  let ofList = known.get(uids);
  if (ofList === undefined) known.set(uids, (ofList = new WeakMap()));
  let from = ofList.get(segment);
  if (from === undefined) {
    const at = lowerBound(uids, segment.uids[0] ?? 0);
    from = segment.uids.every((uid, rank) => uids[at + rank] === uid) ? at : -1;
    ofList.set(segment, from);
  }
  return from;
}

function enterEach({ uids: indexed }: Segment, ofSegment: Uint8Array, { uids, answers }: { readonly uids: readonly number[]; readonly answers: Uint8Array }): void {
  let at = lowerBound(uids, indexed[0] ?? 0);
  for (let rank = 0; rank < indexed.length; rank += 1) {
    const uid = indexed[rank] ?? 0;
    while (at < uids.length && (uids[at] ?? 0) < uid) at += 1;
    if (at === uids.length) return;
    if (uids[at] === uid) answers[at] = ofSegment[rank] ?? 0;
  }
}
