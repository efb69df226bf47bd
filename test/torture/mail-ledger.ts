/**
 * The ledger of what was asked and answered, and its comparison with what is found afterwards. What a lane was doing when
 * its process died may have happened wholly or not at all; all else is certain.
 */
import assert from 'node:assert/strict';
import { Flag } from '../../backend/storage/storage.ts';
import { bytesOfMade, digestOf } from './actions.ts';
import type { Action, Answer, LedgerLine } from './actions.ts';
import { noTraces, withTraces } from './flag-traces.ts';
import type { FlagTraces } from './flag-traces.ts';
import { InboxMarks } from './inbox-marks.ts';
import { applied, completed, described, describedMailbox, digestIn, emptyLane } from './lane-model.ts';
import type { LaneModel } from './lane-model.ts';
import type { FoundMailbox } from './mail-storage.ts';

/** A message that some lane delivered into the INBOX of all. `in-doubt`: there or not. */
interface Delivery {
  readonly digest: string;
  readonly uid: number | undefined;
  readonly state: 'there' | 'gone' | 'in-doubt';
}

export class MailLedger {
  readonly #lanes = new Map<string, LaneModel>();
  readonly #doubts = new Map<string, Action>();
  readonly #deliveries = new Map<string, Delivery>();
  /** Mailbox name, UIDVALIDITY and uid → digest: what a client may have in its cache. */
  readonly #identities = new Map<string, string>();
  /** Mailbox name and UIDVALIDITY → the highest mod-sequence that anybody has seen. */
  readonly #modseqs = new Map<string, number>();
  /** The same and the uid → the mod-sequence that was found last. */
  readonly #rowModseqs = new Map<string, number>();
  readonly #marks = new InboxMarks();
  answers = 0;
  refusals = 0;
  flagTraces: Readonly<FlagTraces> = noTraces;

  add(lines: readonly LedgerLine[]): void {
    for (const line of lines) this.#addLine(line);
    this.flagTraces = withTraces(this.flagTraces, lines);
  }

  /** Throws when what is found is not what was promised. What was in doubt is known afterwards. */
  compare(found: readonly FoundMailbox[]): void {
    for (const mailbox of found) this.#compareIdentity(mailbox);
    const lanes = new Set([...this.#lanes.keys(), ...this.#doubts.keys()]);
    for (const lane of lanes) this.#compareLane(lane, found);
    const ours = found.filter(({ state }) => lanes.has(state.name.split('-')[0] ?? ''));
    assert.equal(ours.length, [...this.#lanes.values()].reduce((sum, { mailboxes }) => sum + mailboxes.size, 0), 'mailboxes in all');
    this.#compareInbox(found.find(({ state }) => state.name === 'INBOX'));
    this.#marks.compare(found.find(({ state }) => state.name === 'INBOX')?.messages ?? [], this.#doubts);
    this.#doubts.clear();
  }

  #addLine(line: LedgerLine): void {
    if (line.at === 'begin') {
      assert.ok(!this.#doubts.has(line.lane), 'a lane does one thing at a time');
      this.#doubts.set(line.lane, line.action);
      this.#addInbox(line.action, undefined);
    } else if (line.at === 'done') {
      this.answers += 1;
      const action = this.#settled(line.lane);
      this.#addInbox(action, line.answer);
      this.#addAnswer(line.lane, action, line.answer);
    } else if (line.at === 'refused') {
      this.refusals += 1;
      const action = this.#settled(line.lane);
      if (action.kind === 'deliver') this.#deliveries.delete(action.message.token);
      if (action.kind === 'discard') this.#changeDelivery(action.token, { state: 'there' });
    }
  }

  #settled(lane: string): Action {
    const action = this.#doubts.get(lane);
    assert.ok(action !== undefined, `${lane} was answered without asking`);
    this.#doubts.delete(lane);
    return action;
  }

  #addAnswer(name: string, action: Action, answer: Answer): void {
    const after = applied(this.#lanes.get(name) ?? emptyLane, action, answer.highestModseq);
    this.#lanes.set(name, after.lane);
    if (action.kind === 'mark') this.#marks.add(name, action);
    const box = 'to' in action ? action.to : 'box' in action ? action.box : 'INBOX';
    const inInbox = action.kind === 'deliver' || action.kind === 'discard' || action.kind === 'mark';
    if (!inInbox) assert.deepEqual(answer.uids, after.uids, `${name} was answered other uids for ${JSON.stringify(action)}`);
    if (answer.uidValidity === undefined || answer.highestModseq === undefined) return;
    const key = `${box} ${answer.uidValidity}`;
    this.#modseqs.set(key, Math.max(this.#modseqs.get(key) ?? 0, answer.highestModseq));
    if (inInbox) return;
    for (const uid of answer.uids) {
      const digest = digestIn(after.lane, box, uid);
      if (digest !== undefined) this.#identify(`${key} ${uid}`, digest);
    }
  }

  #addInbox(action: Action, answer: Answer | undefined): void {
    if (action.kind === 'deliver') {
      const digest = digestOf(bytesOfMade(action.message));
      const uid = answer?.uids[0];
      this.#deliveries.set(action.message.token, { digest, uid, state: answer === undefined ? 'in-doubt' : 'there' });
      if (answer !== undefined) this.#identify(`INBOX ${answer.uidValidity} ${uid}`, digest);
    }
    if (action.kind === 'discard') this.#changeDelivery(action.token, { state: answer === undefined ? 'in-doubt' : 'gone' });
  }

  #changeDelivery(token: string, change: Partial<Delivery>): void {
    const delivery = this.#deliveries.get(token);
    assert.ok(delivery !== undefined, `${token} was never delivered`);
    this.#deliveries.set(token, { ...delivery, ...change });
  }

  #identify(key: string, digest: string): void {
    assert.equal(this.#identities.get(key) ?? digest, digest, `a uid names another message now: ${key}`);
    this.#identities.set(key, digest);
  }

  #compareIdentity({ state, messages }: FoundMailbox): void {
    const key = `${state.name} ${state.uidValidity}`;
    assert.ok(state.highestModseq >= (this.#modseqs.get(key) ?? 0), `HIGHESTMODSEQ went back to ${state.highestModseq} from ${this.#modseqs.get(key)}: ${key}`);
    this.#modseqs.set(key, state.highestModseq);
    const counted = { messages: messages.length, unseen: messages.filter(({ flags }) => (flags & Flag.Seen) === 0).length, deleted: messages.filter(({ flags }) => (flags & Flag.Deleted) !== 0).length };
    assert.deepEqual({ messages: state.messages, unseen: state.unseen, deleted: state.deleted }, counted, `counters: ${key}`);
    for (const { uid, modseq, digest } of messages) {
      assert.ok(uid < state.uidNext, `uid ${uid} is not below UIDNEXT: ${key}`);
      assert.ok(modseq <= state.highestModseq, `uid ${uid} has a mod-sequence above the highest: ${key}`);
      const before = this.#rowModseqs.get(`${key} ${uid}`) ?? 0;
      assert.ok(modseq >= before, `uid ${uid} went back to the mod-sequence ${modseq} from ${before}: ${key}`);
      this.#rowModseqs.set(`${key} ${uid}`, modseq);
      this.#identify(`${key} ${uid}`, digest);
    }
  }

  #compareLane(name: string, found: readonly FoundMailbox[]): void {
    const own = found.filter(({ state }) => state.name.startsWith(`${name}-`));
    const actual = own.map(({ state, messages }) => describedMailbox(state.name, state.uidNext, messages)).sort();
    const before = this.#lanes.get(name) ?? emptyLane;
    const doubt = this.#doubts.get(name);
    const modseqs = new Map(own.map(({ state, messages }) => [state.name, new Map(messages.map(({ uid, modseq }) => [uid, modseq]))]));
    const after = doubt === undefined ? undefined : completed(applied(before, doubt).lane, (box, uid) => modseqs.get(box)?.get(uid));
    if (after !== undefined && JSON.stringify(described(after)) === JSON.stringify(actual)) {
      this.#lanes.set(name, after);
      return;
    }
    assert.deepEqual(actual, described(before), `the mailboxes of lane ${name}; it was at ${JSON.stringify(doubt)}`);
    this.#lanes.set(name, before);
  }

  #compareInbox(inbox: FoundMailbox | undefined): void {
    const byDigest = new Map<string, number>();
    for (const { uid, digest } of inbox?.messages ?? []) {
      assert.ok(!byDigest.has(digest), `INBOX has a message twice: ${byDigest.get(digest)} and ${uid}`);
      byDigest.set(digest, uid);
    }
    for (const [token, delivery] of this.#deliveries) {
      const uid = byDigest.get(delivery.digest);
      byDigest.delete(delivery.digest);
      if (delivery.state === 'there') assert.equal(uid, delivery.uid, `where ${token} lies in INBOX`);
      if (delivery.state === 'gone') assert.equal(uid, undefined, `${token} was expunged from INBOX`);
      if (uid !== undefined && delivery.uid !== undefined) assert.equal(uid, delivery.uid, `where ${token} lies in INBOX`);
      this.#deliveries.set(token, { ...delivery, uid, state: uid === undefined ? 'gone' : 'there' });
    }
    assert.deepEqual([...byDigest.values()], [], 'uids in INBOX that nobody delivered');
    const next = Math.max(0, ...[...this.#deliveries.values()].map(({ uid }) => uid ?? 0)) + 1;
    if (inbox !== undefined) assert.ok(inbox.state.uidNext >= next, 'UIDNEXT of INBOX went back');
  }
}
