/**
 * Delivery keys: which acceptances of a message are one and the same message, so that a client's retry after a lost reply
 * brings no second copy, and a second copy that was meant is never swallowed.
 *
 * Words. A *key* stands for (sender, recipient, digest of the client's bytes before our trace fields). Each time the
 * cluster takes responsibility for a message, that is one *acceptance* of its key, with an id, a time, and what is known of
 * the client's having been told 250:
 *   - `confirmed`: the client went on after the 250 (next MAIL, QUIT), so it knows;
 *   - `open`: the session that was told 250 still stands. Counts as confirmed while its process lives;
 *   - `loose`: the session was cut, or its process died: perhaps the client was never told, and will try again.
 *
 * The rule. In the order of time, a loose acceptance is the same message as the next later acceptance of its key, if that
 * comes within the retry window. So there are as many messages as acceptances, less the loose ones that have a next one. An
 * acceptance enters the mailbox only if it raises that number. The same id again (a hand-over repeated after a lost reply)
 * is no new acceptance. The rule does not depend on the order in which acceptances arrive at the mailbox: one that a
 * custodian hands over days later finds its retry already there, and adds nothing.
 *
 * The record is made in the very transaction that stores the message (for mail to the outside: that queues it), in the
 * storage of the recipient. So, crash by crash, of the node that takes the message:
 *   - before the commit: neither message nor record. The client was not told; its retry is delivered.
 *   - after the commit, before the front-end has the reply: the record is `open` with a dead process, which reads as
 *     loose. The client got 451; the retry, on whatever way, is the next acceptance: told 250, nothing added.
 *   - after the front-end had the reply, the client gone: the front-end doesn't say QUIT; loose, as above.
 *   - after QUIT, before its note is on disk: reads as loose though the client knows. A second identical copy within the
 *     window would be taken for a retry; the note goes along with the next commit of the worker, so the gap concerns what it
 *     confirmed after its last one, and is a second at most.
 *   - a custodian between commit and hand-over: the acceptance is handed over later, with its own time and as loose.
 *   - a custodian while it hands over an `open` acceptance: it tells when the session was last seen to stand. Where a later acceptance is on
 *     record from after that, the owner takes nothing, and the custodian looks again: by then the session stands, or is known to have ended.
 *   - a custodian after handing over an `open` acceptance: the queue item stays until that is settled; when it turns out
 *     loose, the same id is handed over again, which adds no message and turns the owner's record loose.
 *   - the owner between commit and its reply to the custodian: the repeated id finds its record.
 * The nodes' clocks must agree within about a second (any NTP): the order of a loss and its retry is read from them.
 */
import { hash } from 'node:crypto';
import { boundedCache } from '../../shared/base/bounded-cache.ts';
import { keysUnder } from '../storage/storage.ts';
import type { DeliveryRecords, Table } from '../storage/storage.ts';

export type Confirmation = 'confirmed' | 'open' | 'loose';

/** One acceptance of a key. */
export interface Acceptance {
  readonly id: string;
  /** When the client's message was accepted, milliseconds since 1970, by the clock of the node that took it. */
  readonly acceptedAtMs: number;
  readonly confirmation: Confirmation;
  /** The process that holds the session (`thisProcess`); empty when another node holds it, or it came through the queue. */
  readonly holder: string;
  /** Of one that came open through the queue: when its custodian last saw the session stand, milliseconds since 1970. */
  readonly standingAtMs?: number | undefined;
}

export interface KeyRules {
  /** A loose acceptance waits so long for its retry. */
  readonly retryWindowMs: number;
  readonly isAlive: (holder: string) => boolean;
}

/** Acceptances by key, then time, then id: what the rule asks for is the neighbours in time. */
const family = 'accepted';

/** The key's name; those of one recipient lie together. @param digest of the client's bytes, hex. */
export function deliveryKey(sender: string, recipient: string, digest: string): string {
  return recipientPart(recipient) + hash('sha256', `${sender}\0${recipient}\0${digest}`).slice(0, 32);
}

/** Which acceptance of a key. */
export type AcceptanceName = Pick<Acceptance, 'id' | 'acceptedAtMs'>;

/** Records an acceptance; `new` when its message must be stored (or queued) now, in the same transaction. Only inside a transaction. */
export function accept(records: Table, key: string, { acceptance, rules }: { readonly acceptance: Acceptance; readonly rules: KeyRules }): 'new' | 'known' {
  if (acceptFirst(records, key, acceptance) === 'new') return 'new';
  const answer = judge(records, key, { acceptance, rules });
  const known = find(records, key, acceptance);
  // A repeat may know more than the first hand-over did: that the client was perhaps not told.
  if (known === undefined || acceptance.confirmation === 'loose') put(records, key, acceptance);
  return answer;
}

/** As `accept`, if nothing is on record of that key, as `isFirst` says: so it is with nearly every message. Else nothing is recorded. Only inside a transaction. */
export function acceptFirst(records: Table, key: string, acceptance: Acceptance): 'new' | 'not the first' {
  if (!isFirst(records, key)) return 'not the first';
  records.insert(placeOf(key, acceptance), encode(acceptance));
  return 'new';
}

/** Keys of which something was found on record: whoever sends the same 20,000 times would have them counted with each, for milliseconds in which nobody else can write. */
const repeated = boundedCache<true>(1000);

/** Whether nothing is on record of that key, where that is known at little cost: of one that was met before nobody looks whether it is gone meanwhile. */
export function isFirst(records: Table, key: string): boolean {
  if (repeated.has(key)) return false;
  if (records.count(keysUnder([family, key])) === 0) return true; // the binding counts without making an iterator, a text decoder and closures for it
  repeated.set(key, true);
  return false;
}

/** Whether this very acceptance is on record. */
export function isRecorded(records: Table, key: string, name: AcceptanceName): boolean {
  return find(records, key, name) !== undefined;
}

/**
 * What `accept` would answer now. Only the neighbours in time count, however many copies there are: between them, the one
 * before may have had the one after for its retry.
 */
export function judge(records: Table, key: string, { acceptance, rules }: { readonly acceptance: Acceptance; readonly rules: KeyRules }): 'new' | 'known' {
  if (find(records, key, acceptance) !== undefined) return 'known';
  const { from, to } = keysUnder([family, key]);
  const here = placeOf(key, acceptance);
  const neighbours = [...records.range({ from, to: here, limit: 1, order: 'descending' }), ...records.range({ from: here, to, limit: 1 })].map(({ value }) => decode(value));
  return countMessages([...neighbours, acceptance], rules) > countMessages(neighbours, rules) ? 'new' : 'known';
}

/** So long after an acceptance its client may be found to have left while its session still seems to stand. */
const unheardMs = 10_000;

/**
 * Whether an acceptance may turn out to be the retry of the one before it, whose session was open when last heard of: a
 * client whose line was cut sends again at once, and may be here before the end of its first session is seen.
 */
export function mayBeRetry(records: Table, key: string, { acceptance, rules }: { readonly acceptance: Acceptance; readonly rules: KeyRules }): boolean {
  if (find(records, key, acceptance) !== undefined) return false;
  const [before] = records.range({ from: keysUnder([family, key]).from, to: placeOf(key, acceptance), limit: 1, order: 'descending' }).map(({ value }) => decode(value));
  return before?.confirmation === 'open' && !isLoose(before, rules) && acceptance.acceptedAtMs - before.acceptedAtMs < unheardMs;
}

/**
 * Whether an acceptance that is handed over, and whose session still stood when its custodian looked, may meanwhile turn out to be the first try of what is on record as
 * accepted after it. Then nobody can say whether it is a message of its own: its custodian has to look again.
 */
export function mayBeRetried(records: Table, key: string, { acceptance, rules }: { readonly acceptance: Acceptance; readonly rules: KeyRules }): boolean {
  const { standingAtMs, acceptedAtMs } = acceptance;
  if (standingAtMs === undefined || find(records, key, acceptance) !== undefined) return false;
  const [next] = records.range({ from: placeOf(key, acceptance), to: [family, key, acceptedAtMs + rules.retryWindowMs + 1], limit: 1 }).map(({ value }) => decode(value));
  return next !== undefined && next.acceptedAtMs > standingAtMs - unheardMs;
}

/** Notes how a session ended, if its acceptance is still open. Only inside a transaction. */
export function settleAcceptance(records: Table, key: string, { name, confirmation }: { readonly name: AcceptanceName; readonly confirmation: 'confirmed' | 'loose' }): void {
  const known = find(records, key, name);
  if (known?.confirmation === 'open') put(records, key, { ...known, confirmation });
}

/** How many messages these acceptances of one key stand for. */
export function countMessages(acceptances: readonly Acceptance[], rules: KeyRules): number {
  const inTime = [...acceptances].sort((one, other) => one.acceptedAtMs - other.acceptedAtMs || (one.id < other.id ? -1 : 1));
  const retried = inTime.filter((acceptance, index) => {
    const next = inTime[index + 1];
    return next !== undefined && isLoose(acceptance, rules) && next.acceptedAtMs - acceptance.acceptedAtMs <= rules.retryWindowMs;
  });
  return inTime.length - retried.length;
}

/**
 * An acceptance of this node or of another (see retries-elsewhere.ts) for which a loose one of that name would be a try of the same message:
 * the first after it within the retry window.
 */
export function retryOf(records: Table, key: string, { name, of, rules }: { readonly name: AcceptanceName; readonly of: 'this node' | 'another'; readonly rules: KeyRules }): AcceptanceName | undefined {
  const range = { from: placeOf(key, name), to: [family, key, name.acceptedAtMs + rules.retryWindowMs + 1] };
  const later = records.range(range).map(({ value }) => decode(value)).filter(({ id }) => id !== name.id);
  return later.find(({ holder }) => (holder === '') === (of === 'another'));
}

/** Notes an acceptance of another node. As confirmed, so that nothing of this node is ever held back for it: that node has the message. */
export function noteElsewhere(records: Table, key: string, { id, acceptedAtMs }: AcceptanceName): void {
  put(records, key, { id, acceptedAtMs, confirmation: 'confirmed', holder: '' });
}

/** Removes records of acceptances before `beforeMs`, some at a time. Answers how many. */
export async function forgetAcceptances(store: Pick<DeliveryRecords, 'read' | 'write'>, beforeMs: number): Promise<number> {
  const batch = 500;
  let removed = 0;
  let from: readonly (string | number)[] = [family];
  for (;;) {
    const entries = store.read((records) => records.range({ ...keysUnder([family]), from, limit: batch }));
    const old = entries.filter(({ value }) => decode(value).acceptedAtMs < beforeMs);
    if (old.length > 0) await store.write((records) => old.forEach(({ key }) => records.remove(key)));
    removed += old.length;
    const last = entries.at(-1);
    if (last === undefined || entries.length < batch) return removed;
    from = [...last.key, 0]; // just after the last key
  }
}

/** Acceptances of one recipient, as they are told to the node that the account moves to. */
export interface MovingAcceptance {
  readonly key: string;
  readonly acceptance: Acceptance;
}

/** Instead of a process: the session is, or was, at the node that the account came from. */
const leftBehind = 'moved:elsewhere';

/**
 * All of a recipient. What is open goes along as open, held by no living process: so it reads as loose, as nobody at the new
 * node hears how its session ends, until the new owner asks again and learns that its client knows.
 */
export function acceptancesOf(store: DeliveryRecords, recipient: string): MovingAcceptance[] {
  const part = recipientPart(recipient);
  const entries = store.read((records) => records.range({ from: [family, part], to: [family, `${part}~`] }));
  return entries.map(({ key, value }) => {
    const acceptance = decode(value);
    return { key: String(key[1]), acceptance: leaving(acceptance) };
  });
}

function leaving({ id, acceptedAtMs, confirmation, holder }: Acceptance): Acceptance {
  if (confirmation !== 'open') return { id, acceptedAtMs, confirmation, holder: '' };
  return holder === '' ? { id, acceptedAtMs, confirmation: 'confirmed', holder } : { id, acceptedAtMs, confirmation, holder: leftBehind }; // of the first the custodian tells the new owner if it turns out loose
}

/** Takes over what another node told; of what is known here already only how the session ended, if that is news. */
export async function adoptAcceptances(store: DeliveryRecords, moving: readonly MovingAcceptance[]): Promise<void> {
  const news = store.read((records) => moving.filter(({ key, acceptance }) => isNews(find(records, key, acceptance), acceptance)));
  if (news.length === 0) return;
  await store.write((records) => {
    for (const { key, acceptance } of news) if (isNews(find(records, key, acceptance), acceptance)) put(records, key, acceptance);
  });
}

/** Loose is the last word; what came open may turn out confirmed. */
function isNews(known: Acceptance | undefined, told: Acceptance): boolean {
  if (known === undefined) return true;
  if (told.confirmation === 'loose') return known.confirmation !== 'loose';
  return told.confirmation === 'confirmed' && known.confirmation === 'open' && known.holder === leftBehind;
}

/** Hexadecimal, so that `~` sorts after all that begins with it. */
function recipientPart(recipient: string): string {
  return hash('sha256', recipient).slice(0, 16);
}

function isLoose({ confirmation, holder }: Acceptance, rules: KeyRules): boolean {
  return confirmation === 'loose' || (confirmation === 'open' && holder !== '' && !rules.isAlive(holder));
}

function placeOf(key: string, { id, acceptedAtMs }: AcceptanceName): readonly (string | number)[] {
  return [family, key, acceptedAtMs, id];
}

function find(records: Table, key: string, name: AcceptanceName): Acceptance | undefined {
  const value = records.get(placeOf(key, name));
  return value === undefined ? undefined : decode(value);
}

function put(records: Table, key: string, acceptance: Acceptance): void {
  records.put(placeOf(key, acceptance), encode(acceptance));
}

function encode(acceptance: Acceptance): Buffer {
  return Buffer.from(JSON.stringify(acceptance));
}

function decode(value: Buffer): Acceptance {
  return JSON.parse(value.toString()) as Acceptance;
}
