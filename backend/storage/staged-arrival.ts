/** A message of an account that arrives, between its pack and the index. */
import type { StagedBytes } from './packs.ts';
import type { ArrivedMessage } from './transfers.ts';

/** A message whose bytes are in a pack, with what makes it a message of the index. */
export class StagedArrival implements ArrivedMessage {
  readonly messageId: number;
  readonly bytes: StagedBytes;
  readonly structure: Buffer;

  constructor(messageId: number, bytes: StagedBytes, structure: Buffer) {
    this.messageId = messageId;
    this.bytes = bytes;
    this.structure = structure;
  }

  get digest(): Buffer {
    return this.bytes.digest;
  }
}
