/** The uids of mailboxes that were opened lately. Who opens one again reads what has changed since; sessions in one mailbox share the list. */
import { LRUCache } from 'lru-cache';

/** Uids in all lists together. */
const mostUids = 2 ** 20;
const leastSize = 16;

interface UidList {
  readonly modseq: number;
  readonly uids: readonly number[];
}

/** The mailbox in one commit. */
export interface UidSource {
  readonly highestModseq: number;
  readonly all: () => readonly number[];
  readonly changesSince: (modseq: number) => { readonly changed: readonly { readonly uid: number }[]; readonly vanished: readonly number[] };
}

export class UidLists {
  readonly #lists = new LRUCache<number, UidList>({ maxSize: mostUids, sizeCalculation: ({ uids }) => leastSize + uids.length });

  /** All uids, ascending. */
  of(mailbox: number, source: UidSource): readonly number[] {
    const known = this.#lists.get(mailbox);
    const { highestModseq: modseq } = source;
    if (known?.modseq === modseq) return known.uids;
    const uids = known === undefined ? source.all() : renewed(known, source);
    this.#lists.set(mailbox, { modseq, uids });
    return uids;
  }
}

function renewed({ modseq, uids }: UidList, source: UidSource): readonly number[] {
  const { changed, vanished } = source.changesSince(modseq);
  const newest = uids.at(-1) ?? 0;
  const gone = new Set(vanished);
  const fresh = changed.filter(({ uid }) => uid > newest).map(({ uid }) => uid).sort((one, other) => one - other);
  if (gone.size === 0) return fresh.length === 0 ? uids : [...uids, ...fresh];
  return [...uids.filter((uid) => !gone.has(uid)), ...fresh];
}
