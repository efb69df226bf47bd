/** What is found in the bytes of a message, whether it arrives or is read from its pack once more. */
import { MessageScanner } from '../../shared/mime/scan.ts';
import type { MessageStructure } from '../../shared/mime/structure.ts';

export interface ScannedMessage {
  readonly structure: MessageStructure;
  /** Of its header, see `KeptStructure`. */
  readonly fields: Buffer;
}

/** Once the scanner has had all bytes. */
export function scannedBy(scanner: MessageScanner): ScannedMessage {
  return { structure: scanner.end(), fields: scanner.keptFields };
}

export function scanPieces(pieces: readonly Buffer[]): ScannedMessage {
  const scanner = new MessageScanner();
  for (const piece of pieces) scanner.write(piece);
  return scannedBy(scanner);
}

/** Throws what the source throws. */
export async function scanStream(pieces: AsyncIterable<Buffer>): Promise<ScannedMessage> {
  const scanner = new MessageScanner();
  for await (const piece of pieces) scanner.write(piece);
  return scannedBy(scanner);
}
