/** What a check of a storage finds: each thing that is wrong, with the message, mailbox or pack that it concerns. */

export type FindingKind =
  // mail that is lost
  | 'pack-lost' // a file of the storage is missing, or is no pack
  | 'record-torn' // the record of a message is cut or has no sound end
  | 'record-changed' // the bytes of a message are not those that were written
  | 'message-missing' // a row of a mailbox names a message that the index does not have
  // what can be mended from the rest
  | 'fields-wrong' // what is kept of the header of a message
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
  /** Of the message, as far as the index knows it still. */
  readonly subject?: string | undefined;
  readonly messageId?: string | undefined;
  readonly at?: FindingPlace | undefined;
}

/** Where in the index it is, for who mends it: numbers of the mailbox, the account, the message. */
export interface FindingPlace {
  readonly mailbox?: number | undefined;
  readonly account?: number | undefined;
  readonly message?: number | undefined;
}

const lost: ReadonlySet<FindingKind> = new Set<FindingKind>(['pack-lost', 'record-torn', 'record-changed', 'message-missing']);

/** Whether mail is lost by it; everything else can be mended. */
export function isLoss({ kind }: Finding): boolean {
  return lost.has(kind);
}

/** More are counted, not kept, where nobody wants all. */
const usuallyKept = 5000;

export class Findings {
  readonly #most: number;
  /** Apart, so that what can be mended, however much, never hides that mail is lost. */
  readonly #losses: Finding[] = [];
  readonly #others: Finding[] = [];
  count = 0;
  /** How many of them are mail that is lost. */
  lost = 0;

  constructor(most: number = usuallyKept) {
    this.#most = most;
  }

  /** Lost mail first. */
  get kept(): readonly Finding[] {
    return [...this.#losses, ...this.#others].slice(0, this.#most);
  }

  add(finding: Finding): void {
    this.count += 1;
    if (isLoss(finding)) this.lost += 1;
    const like = isLoss(finding) ? this.#losses : this.#others;
    if (like.length < this.#most) like.push(finding);
  }
}
