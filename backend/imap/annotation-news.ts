/** Which annotations others have changed since a session heard of them last (RFC 5464 section 4.4.2). */
import type { Account } from '../storage/storage.ts';
import { specialUseEntry } from './metadata.ts';

export type Place = number | 'account';

/** What a session itself has set, and the version that came of it. */
export interface OwnAnnotations {
  readonly place: Place;
  readonly entries: readonly string[];
  readonly version: number;
  /** The mailbox's mod-sequence of it; absent when it has none of its own. */
  readonly modseq?: number | undefined;
}

export interface ChangedAnnotations {
  readonly place: Place;
  /** Empty name: the account as a whole. */
  readonly mailbox: string;
  readonly entries: readonly string[];
}

/** Of each place, by entry: what tells one value from the next. */
type Known = Map<Place, Map<string, number | string>>;

export class AnnotationNews {
  /** Undefined for the owner. */
  readonly #guest: string | undefined;
  #version: number;
  #known: Known;

  /** From now on. @param guest somebody else than the owner, who hears of what is shared and of what is his own */
  constructor(account: Account, guest?: string) {
    this.#guest = guest;
    this.#version = account.annotations.version();
    this.#known = read(account, guest).known;
  }

  /** What the client has done itself is no news to it. */
  noteOwn({ place, entries, version }: OwnAnnotations, account: Account): void {
    const known = this.#known.get(place) ?? new Map<string, number | string>();
    this.#known.set(place, known);
    const now = read(account, this.#guest).known.get(place);
    for (const entry of entries) {
      const current = now?.get(entry);
      if (current === undefined) known.delete(entry);
      else if (entry === specialUseEntry || current === version) known.set(entry, current);
    }
  }

  /** What the client knows of a place, by entry. */
  knownOf(place: Place): ReadonlyMap<string, string> {
    return new Map(Array.from(this.#known.get(place) ?? [], ([entry, version]) => [entry, String(version)]));
  }

  /** What is new; nothing a second time. Of places that are gone nothing is told. */
  take(account: Account): readonly ChangedAnnotations[] {
    const version = account.annotations.version();
    if (version === this.#version) return [];
    const { known, names } = read(account, this.#guest);
    const changed: ChangedAnnotations[] = [];
    for (const [place, mailbox] of names) {
      const entries = differences(this.#known.get(place) ?? new Map(), known.get(place) ?? new Map());
      if (entries.length > 0) changed.push({ place, mailbox, entries });
    }
    this.#version = version;
    this.#known = known;
    return changed;
  }
}

function read(account: Account, guest: string | undefined): { readonly known: Known; readonly names: ReadonlyMap<Place, string> } {
  const known: Known = new Map(Array.from(account.annotations.everywhere(guest), ([place, versions]) => [place, new Map<string, number | string>(versions)]));
  const names = new Map<Place, string>([['account', '']]);
  for (const { id, name, specialUses } of account.mailboxes()) {
    names.set(id, name);
    if (specialUses.length > 0 && guest === undefined) known.set(id, (known.get(id) ?? new Map<string, number | string>()).set(specialUseEntry, specialUses.join(' ')));
  }
  return { known, names };
}

/** Of one place. */
export function differences(before: ReadonlyMap<string, number | string>, now: ReadonlyMap<string, number | string>): string[] {
  const entries = new Set([...before.keys(), ...now.keys()]);
  return [...entries].filter((entry) => before.get(entry) !== now.get(entry)).sort();
}
