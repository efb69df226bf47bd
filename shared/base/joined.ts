/** Bytes that came in pieces, as one: pieces of a message mostly are one already, which is not copied. */
export function joined(pieces: readonly Buffer[]): Buffer {
  const [only] = pieces;
  return pieces.length === 1 && only !== undefined ? only : Buffer.concat(pieces);
}
