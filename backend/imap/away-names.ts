/**
 * Folders on another node as its NOTIFY told them (RFC 5465 sections 5.4, 5.6 and 5.9). That node says how they are (`NotifiedName`), and again whatever became different, once it has told it; after an outage
 * what it says then is compared with what it said last, and the difference told.
 */
import { differences } from './annotation-news.ts';
import { listedNames, listedReach } from './foreign-names.ts';
import { changedEntriesLine, wireListed } from './mailbox-lines.ts';
import type { ListedName } from './mailbox-lines.ts';
import { formatNotified, parseNotified } from './notified-names.ts';
import type { NotifiedName } from './notified-names.ts';

/** By MAILBOXID. */
type Known = ReadonlyMap<string, NotifiedName>;

const noQuestion = '';
/** As is asked next. */
const anyQuestion = '*';

export class AwayNames {
  /** By what NOTIFY asked for, in which encoding of names; the names mean nothing to another question. */
  #question = noQuestion;
  #known = new Map<string, NotifiedName>();
  #isForgotten = false;

  /** What was told of folders while they were on this node. */
  static of(names: readonly NotifiedName[]): AwayNames {
    const known = new AwayNames();
    known.#question = anyQuestion;
    known.#known = new Map(names.map((one) => [one.mailboxId, one]));
    return known;
  }

  get isEmpty(): boolean {
    return this.#known.size === 0;
  }

  /** Whether what is known answers that question. */
  answers(question: string): boolean {
    return this.#question === question || this.#question === anyQuestion;
  }

  /** Whether the client has asked anew since the last question. */
  get isForgotten(): boolean {
    return this.#isForgotten;
  }

  /** The client asks anew, and is told again what NOTIFY begins with. */
  forget(): void {
    this.#question = noQuestion;
    this.#isForgotten = true;
  }

  /** Asked, and nothing was heard. */
  keep(): void {
    this.#isForgotten = false;
  }

  /** The node says how a folder is, of which it has told. */
  note(line: string): void {
    const notified = parseNotified(line);
    if (notified?.is === 'there') this.#known.set(notified.of.mailboxId, notified.of);
    else if (notified !== undefined) this.#known.delete(notified.of.mailboxId);
  }

  /** What is different now, as responses; where another question was asked before, which of the folders that it means may not be read (RFC 5465 section 3.1). */
  compare(question: string, lines: readonly string[]): string[] {
    const before = this.answers(question) ? this.#known : undefined;
    this.#question = question;
    this.#isForgotten = false;
    this.#known = new Map();
    for (const line of lines) this.note(line);
    const now = this.#known;
    if (before === undefined) return listedReach({ gone: namesBy(now, ({ messages }) => messages === 'closed'), back: [] }, new Set()).map(wireListed);
    return [...changedNames(before, now).map(wireListed), ...changedAnnotations(before, now)];
  }

  /** The account is on this node now: what became different on the way. Where the client has asked anew that was told by NOTIFY. */
  arrive(names: readonly NotifiedName[]): string[] {
    return this.#isForgotten ? [] : this.compare(this.#question, names.map(formatNotified));
  }

  /** There is nothing any more that the user may see. */
  loseAll(): string[] {
    return this.compare(this.#question, []);
  }
}

/** The same that is told of folders here: names, and then what may be read no more, or again, as far as the names do not say it. */
function changedNames(before: Known, now: Known): ListedName[] {
  const named = new Set([...namesBy(before, (one) => one.named), ...namesBy(now, (one) => one.named)]);
  const names = listedNames({ before: nameOfEach(before), now: nameOfEach(now), own: new Set() }, { wants: (name) => named.has(name), subscriptions: new Set() });
  const told = new Set(names.flatMap(({ name, oldName }) => [name, ...(oldName === undefined ? [] : [oldName])]));
  const reached = new Set(namesBy(now, isReached));
  const gone = namesBy(before, (one) => isReached(one) && !reached.has(one.name));
  const back = namesBy(before, ({ name, messages }) => messages === 'closed' && reached.has(name));
  const there = new Set(nameOfEach(now).values());
  const isUntold = (name: string): boolean => !told.has(name) && (there.has(name) || !named.has(name));
  return [...names, ...listedReach({ gone: gone.filter(isUntold), back: back.filter(isUntold) }, new Set())];
}

/** Whether all is told that is meant, names aside. */
function isReached({ messages, annotations }: NotifiedName): boolean {
  return messages === 'told' || (messages === 'not meant' && annotations !== undefined);
}

/** Of one whose annotations could not be seen before nothing is. */
function changedAnnotations(before: Known, now: Known): string[] {
  return [...now].flatMap(([id, { name, annotations }]) => {
    const known = before.get(id);
    if (annotations === undefined || (known !== undefined && known.annotations === undefined)) return [];
    const entries = differences(known?.annotations ?? new Map(), annotations);
    return entries.length === 0 ? [] : [changedEntriesLine(name, entries)];
  });
}

function namesBy(known: Known, isMeant: (one: NotifiedName) => boolean): string[] {
  return [...known.values()].filter(isMeant).map(({ name }) => name);
}

function nameOfEach(known: Known): ReadonlyMap<string, string> {
  return new Map(Array.from(known, ([id, { name }]) => [id, name]));
}
