/** Annotations (RFC 5464): what an account has, and which changes by others a session that enabled METADATA still has to hear of. */
import assert from 'node:assert/strict';
import type { AccountModel, ModelMailbox } from './mailbox-model.ts';
import type { Response } from './responses.ts';

/** A mailbox, or the account as a whole. */
export type Place = ModelMailbox | 'account';

interface Annotation {
  readonly value: string;
  readonly version: number;
}

export class Annotations {
  readonly #of = new Map<Place, ReadonlyMap<string, Annotation>>();
  #version = 0;

  at(place: Place): ReadonlyMap<string, Annotation> {
    return this.#of.get(place) ?? new Map();
  }

  /** @param value undefined: takes it away */
  set(place: Place, entry: string, value: string | undefined): void {
    this.#version += 1;
    const others = [...this.at(place)].filter(([name]) => name !== entry);
    this.#of.set(place, new Map(value === undefined ? others : [...others, [entry, { value, version: this.#version }]]));
  }
}

/** What one client knows of them. */
export class KnownAnnotations {
  readonly #account: AccountModel;
  readonly #known = new Map<Place, ReadonlyMap<string, Annotation>>();

  /** As they are now. */
  constructor(account: AccountModel) {
    this.#account = account;
    this.settle();
  }

  get #places(): Place[] {
    return ['account', ...this.#account.mailboxes.values()];
  }

  /** It knows all. */
  settle(): void {
    for (const place of this.#places) this.#known.set(place, this.#account.annotations.at(place));
  }

  /** What the client set itself it knows. */
  noteOwn(place: Place, entry: string): void {
    const own = this.#account.annotations.at(place).get(entry);
    const others = [...this.#known.get(place) ?? []].filter(([name]) => name !== entry);
    this.#known.set(place, new Map(own === undefined ? others : [...others, [entry, own]]));
  }

  /** Entries that are others now, by mailbox. */
  get owed(): Map<string, readonly string[]> {
    return new Map(this.#places.flatMap((place): [string, readonly string[]][] => {
      const [known, now] = [this.#known.get(place) ?? new Map<string, Annotation>(), this.#account.annotations.at(place)];
      const entries = [...new Set([...known.keys(), ...now.keys()])].filter((entry) => known.get(entry)?.version !== now.get(entry)?.version);
      return entries.length === 0 ? [] : [[nameOfPlace(place), entries.toSorted()]];
    }));
  }

  /** Takes `METADATA mailbox entry entry` (RFC 5464 section 4.4.2); fails when nobody owes it. */
  hear(response: Response): 'taken' | 'of something else' {
    if (response.kind !== 'metadata' || response.values !== undefined) return 'of something else';
    assert.deepEqual(response.entries.toSorted(), this.owed.get(response.name), `METADATA ${response.name}`);
    const place = this.#places.find((one) => nameOfPlace(one) === response.name);
    if (place !== undefined) this.#known.set(place, this.#account.annotations.at(place));
    return 'taken';
  }
}

function nameOfPlace(place: Place): string {
  return place === 'account' ? '' : place.name;
}
