/** A message of an account that arrives, between its pack and the index. */
import type { StagedBytes } from './packs.ts';
import type { ArrivedMessage } from './transfers.ts';

/** A message whose bytes are in a pack, with what makes it a message of the index. */
export class StagedArrival implements ArrivedMessage {
  readonly messageId: number;
  readonly bytes: StagedBytes;
  readonly structure: Buffer;
  /** Of its header, see `KeptStructure`. */
  readonly fields: Buffer;

  constructor(messageId: number, bytes: StagedBytes, { structure, fields }: { readonly structure: Buffer; readonly fields: Buffer }) {
    this.messageId = messageId;
    this.bytes = bytes;
    this.structure = structure;
    this.fields = fields;
  }

  get digest(): Buffer {
    return this.bytes.digest;
  }
}
