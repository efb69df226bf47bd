/** What a check of a storage finds: each thing that is wrong, with the message, mailbox or pack that it concerns. */

export type FindingKind =
  // mail that is lost
  | 'pack-lost' // a file of the storage is missing, or is no pack
  | 'record-torn' // the record of a message is cut or has no sound end
  | 'record-changed' // the bytes of a message are not those that were written
  | 'message-missing' // a row of a mailbox names a message that the index does not have
  // what can be mended from the rest
  | 'structure-lost' | 'references-wrong' | 'live-bytes-wrong' | 'size-wrong' | 'orphan-message'
  | 'counters-wrong' // of a mailbox
  | 'quota-wrong' // the use of an account
  | 'grants-wrong' // whom a mailbox grants something
  | 'uids-wrong' | 'modseq-wrong' | 'names-wrong' | 'changes-wrong' | 'orphan-mailbox'
  | 'left-over'; // what belongs to no mailbox or message any more

export interface Finding {
  readonly kind: FindingKind;
  readonly text: string;
  readonly account?: string | undefined;
  readonly mailbox?: string | undefined;
  readonly uid?: number | undefined;
  readonly pack?: number | undefined;
}

const lost: ReadonlySet<FindingKind> = new Set<FindingKind>(['pack-lost', 'record-torn', 'record-changed', 'message-missing']);

/** Whether mail is lost by it; everything else can be mended. */
export function isLoss({ kind }: Finding): boolean {
  return lost.has(kind);
}

/** More are counted, not kept. */
const mostKept = 5000;

export class Findings {
  readonly kept: Finding[] = [];
  count = 0;

  add(finding: Finding): void {
    this.count += 1;
    if (this.kept.length < mostKept) this.kept.push(finding);
  }
}
