/** Results that are kept up to date, as their client has them (RFC 5267 section 4.3): it knows only what it was told. */
import assert from 'node:assert/strict';
import type { ModelMessage } from './mailbox-model.ts';
import { numbersOf } from './responses.ts';
import type { OpenView } from './open-view.ts';

export interface Following {
  readonly numbers: 'uid' | 'sequence';
  /** Undefined: places mean nothing. */
  readonly order: ((messages: readonly ModelMessage[]) => readonly ModelMessage[]) | undefined;
  readonly hits: (message: ModelMessage) => boolean;
}

export class Follower {
  /** What the client has, in its order. */
  #uids: number[];
  readonly #following: Following;

  constructor(following: Following, found: readonly ModelMessage[]) {
    this.#following = following;
    this.#uids = found.map(({ uid }) => uid);
  }

  /** @param items of the ESEARCH response, in these numbers: in uids whatever was asked for, where there are no others any more (RFC 9586 section 3) */
  hear(items: ReadonlyMap<string, string>, { numbers, view: { uids, numbering } }: { readonly numbers: 'uid' | 'sequence'; readonly view: Pick<OpenView, 'uids' | 'numbering'> }): void {
    assert.equal(numbers, numbering === 'uids' ? 'uid' : this.#following.numbers);
    for (const [name, value] of items) {
      const words = value.slice(1, -1).split(' ');
      for (let at = 0; at < words.length; at += 2) {
        const place = Number(words[at]);
        const named = numbersOf(words[at + 1] ?? '').map((number) => (numbers === 'uid' ? number : uids[number - 1] ?? assert.fail(`no message ${String(number)}`)));
        if (name === 'ADDTO') this.#add(place, named);
        else if (name === 'REMOVEFROM') this.#remove(place, named);
        else assert.fail(`nobody predicts ${name}`);
      }
    }
  }

  #add(place: number, uids: readonly number[]): void {
    assert.deepEqual(uids.filter((uid) => this.#uids.includes(uid)), [], 'was there already');
    assert.equal(place === 0, this.#following.order === undefined, 'place');
    if (place === 0) this.#uids.push(...uids);
    else this.#uids.splice(place - 1, 0, ...uids);
  }

  #remove(place: number, uids: readonly number[]): void {
    if (this.#following.order !== undefined) assert.deepEqual(this.#uids.slice(place - 1, place - 1 + uids.length), uids, `at place ${String(place)}`);
    assert.deepEqual(uids.filter((uid) => !this.#uids.includes(uid)), [], 'was not there');
    this.#uids = this.#uids.filter((uid) => !uids.includes(uid));
  }

  /** What the client ought to have. @param known messages that are there and that it knows of */
  expected(known: readonly ModelMessage[]): { readonly has: readonly number[]; readonly ought: readonly number[] } {
    const { order, hits } = this.#following;
    const matching = known.filter(hits);
    const ought = (order?.(matching) ?? matching).map(({ uid }) => uid);
    return { has: order === undefined ? this.#uids.toSorted((one, other) => one - other) : this.#uids, ought };
  }
}

/** Not an answer to a search, but what became of an earlier one. */
export function isUpdate(items: ReadonlyMap<string, string>): boolean {
  return items.has('ADDTO') || items.has('REMOVEFROM');
}

export function isUpToDate({ has, ought }: ReturnType<Follower['expected']>): boolean {
  return has.join(' ') === ought.join(' ');
}
