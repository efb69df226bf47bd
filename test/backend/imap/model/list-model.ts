/** What LIST and LSUB tell of a hierarchy of names (RFC 9051 section 6.3.9, RFC 5258, RFC 6154): each name is looked at by itself, with all that are below it. */
import type { AccountModel, ModelMailbox } from './mailbox-model.ts';

/** A mailbox as one user sees it. */
export interface Seen {
  readonly name: string;
  readonly mailbox: ModelMailbox;
  readonly whose: 'own' | 'others';
  readonly rights: string;
}

export interface Asked {
  readonly select: readonly string[];
  readonly returns: readonly string[];
  readonly patterns: readonly string[];
  readonly syntax: 'basic' | 'extended';
}

/** One LIST response. */
export interface Told {
  readonly name: string;
  /** In alphabetical order. */
  readonly attributes: readonly string[];
  readonly childInfo: string | undefined;
  /** Undefined for a name that is only above others, or a subscription to what is gone. */
  readonly seen: Seen | undefined;
  /** Not for what is below it alone: then its rights, numbers and annotations are told where they are asked for (RFC 5819 section 2, RFC 8440 section 3). */
  readonly isSelected: boolean;
}

interface Name {
  readonly name: string;
  readonly seen: Seen | undefined;
  readonly isSubscribed: boolean;
  /** Of all levels below. */
  readonly below: readonly Name[];
}

/** @param all whatever the user may see. @param own whose subscriptions count */
export function listed(all: readonly Seen[], own: AccountModel, asked: Asked): Told[] {
  const { select, returns, patterns, syntax } = asked;
  const isMatched = ({ name }: Name): boolean => patterns.some((pattern) => matches(pattern, name));
  const isSelected = ({ isSubscribed, seen }: Name): boolean =>
    (!select.includes('SUBSCRIBED') || isSubscribed) && (!select.includes('SPECIAL-USE') || usesOf(seen).length > 0);
  const isThere = ({ seen, isSubscribed, below }: Name): boolean => seen !== undefined || (select.includes('SUBSCRIBED') ? isSubscribed : hasChildren(below));
  // Told for what is below it only where that is not told itself (RFC 9051 section 6.3.9.6).
  const standsForOthers = ({ below }: Name): boolean => select.includes('RECURSIVEMATCH') && below.some((one) => isSelected(one) && !isMatched(one));
  const told = namesOf(all, own).filter((name) => isMatched(name) && (standsForOthers(name) || (isSelected(name) && isThere(name))));
  return told.map((one) => ({ ...one, isSelected: isSelected(one) })).map(({ name, seen, isSubscribed, isSelected: itself, below }) => ({
    name, seen, isSelected: itself,
    attributes: [
      ...(seen === undefined ? [syntax === 'basic' ? '\\Noselect' : '\\NonExistent'] : []),
      hasChildren(below) ? '\\HasChildren' : '\\HasNoChildren',
      ...(isSubscribed && [...select, ...returns].includes('SUBSCRIBED') ? ['\\Subscribed'] : []),
      ...usesOf(seen),
    ].toSorted(),
    childInfo: select.includes('RECURSIVEMATCH') && select.includes('SUBSCRIBED') && below.some(isSelected) ? '"SUBSCRIBED"' : undefined,
  }));
}

/** What is subscribed; a level above it where the pattern ends there by % (RFC 3501 section 6.3.9). */
export function subscribed(all: readonly Seen[], own: AccountModel, pattern: string): Pick<Told, 'name' | 'attributes'>[] {
  return namesOf(all, own).flatMap(({ name, seen, isSubscribed, below }) => {
    const isLevel = !isSubscribed && pattern.endsWith('%') && below.some((one) => one.isSubscribed);
    if (!matches(pattern, name) || !(isSubscribed || isLevel)) return [];
    return [{ name, attributes: isLevel || seen === undefined ? ['\\Noselect'] : [''] }];
  });
}

/** Only the owner's client files mail by it. */
function usesOf(seen: Seen | undefined): readonly string[] {
  return seen?.whose === 'own' ? seen.mailbox.uses : [];
}

function hasChildren(below: readonly Name[]): boolean {
  return below.some(({ seen }) => seen !== undefined);
}

function namesOf(all: readonly Seen[], { subscriptions }: AccountModel): Name[] {
  const known = new Map(all.map((seen) => [seen.name, seen]));
  const names = new Set([...known.keys(), ...subscriptions].flatMap(withLevels));
  const nameOf = (name: string): Name => ({
    name, seen: known.get(name), isSubscribed: subscriptions.has(name), below: [...names].filter((other) => other.startsWith(`${name}/`)).map(nameOf),
  });
  return [...names].map(nameOf);
}

/** `a/b/c` with `a/b` and `a`. */
function withLevels(name: string): string[] {
  return name.split('/').map((_level, depth, levels) => levels.slice(0, depth + 1).join('/'));
}

/** `*` is anything, `%` anything up to the next level. */
function matches(pattern: string, name: string): boolean {
  const parts = pattern.split(/([*%])/).map((part) => (part === '*' ? '.*' : part === '%' ? '[^/]*' : part.replaceAll(/[.+]/g, String.raw`\$&`)));
  return new RegExp(`^${parts.join('')}$`).test(name);
}
