/** Bytes that came in pieces, as one: pieces of a message mostly are one already, which is not copied. */
export function joined(pieces: readonly Buffer[]): Buffer {
  const [only] = pieces;
  return pieces.length === 1 && only !== undefined ? only : Buffer.concat(pieces);
}

/** Smaller pieces are joined: each takes some 700 bytes beside its own, and a client may send each byte by itself. */
const smallPieceBytes = 4096;

/** Adds a piece to those that are held. A small one is joined with those before it that are no longer, so that a byte is copied a dozen times at most. */
export function addJoined(pieces: Buffer[], piece: Buffer): void {
  let last = piece;
  for (let before = pieces.at(-1); before !== undefined && before.length <= last.length && last.length < smallPieceBytes; before = pieces.at(-1)) {
    pieces.pop();
    last = Buffer.concat([before, last]);
  }
  pieces.push(last);
}
