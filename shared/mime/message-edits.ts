/** Changes to the bytes of a message while they pass, piece by piece. Pure. */
import { Base64Lines, QuotedPrintable } from './transfer-encoders.ts';
import type { TransferEncoder } from './transfer-encoders.ts';

/** In place of the bytes from `start` to before `end`. */
export type Edit =
  | { readonly kind: 'replace'; readonly start: number; readonly end: number; readonly bytes: Buffer }
  | { readonly kind: 'encode'; readonly start: number; readonly end: number; readonly as: 'quoted-printable' | 'base64'; readonly closes: 'message' | 'part' };

/** The bytes with the edits, which are ordered and don't overlap. @param from where in the message the bytes begin; no edit lies before that */
export async function* edited(bytes: AsyncIterable<Buffer>, edits: readonly Edit[], from = 0): AsyncGenerator<Buffer, void, void> {
  const queue = [...edits];
  let encoder: TransferEncoder | undefined;
  let offset = from;
  for await (const piece of bytes) {
    let at = 0;
    while (at < piece.length) {
      const edit = queue[0];
      const place = offset + at;
      const end = Math.min(piece.length, (edit === undefined ? Infinity : place < edit.start ? edit.start : edit.end) - offset);
      const part = piece.subarray(at, end);
      at = end;
      if (edit === undefined || place < edit.start) yield part;
      else if (edit.kind === 'encode') yield (encoder ??= encoderOf(edit)).write(part);
      if (edit === undefined || offset + at < edit.end) continue;
      yield edit.kind === 'replace' ? edit.bytes : encoder?.end() ?? Buffer.alloc(0);
      encoder = undefined;
      queue.shift();
    }
    offset += piece.length;
  }
}

function encoderOf({ as, closes }: Extract<Edit, { kind: 'encode' }>): TransferEncoder {
  return as === 'base64' ? new Base64Lines(closes === 'message' ? 'with a line end' : 'without') : new QuotedPrintable();
}
