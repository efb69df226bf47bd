/** The lane of recipients in our domains: asks who owns the account now, delivers what is kept on this node, and sends the rest on its way. */
import { isFailure } from '../../shared/base/failure.ts';
import type { Failure } from '../../shared/base/failure.ts';
import type { Logger } from '../../shared/log/log.ts';
import type { Account } from '../storage/storage.ts';
import type { Expansion } from '../../shared/user-map/expansion.ts';
import { expansionWords } from '../../shared/user-map/expansion-refusal.ts';
import type { KeyRules } from './delivery-keys.ts';
import { ownWords } from './lanes.ts';
import type { Lane, LaneOptions } from './lanes.ts';
import { deliverLocally, placesOf } from './local-delivery.ts';
import { destinationOf } from './new-item.ts';
import type { LookedAtItem, QueueItem, QueueRecipient } from './queue-item.ts';
import type { TryOutcome } from './try-outcome.ts';

/** What processing asks of backend/accounts. */
export interface AccountsView {
  /** Rejects with `unknown-user`, `not-kept-here` (naming the node if it is known), `directory-unavailable`. */
  open(address: string, service: 'smtp'): Promise<Account>;
  lookUp(address: string): Promise<{ readonly mailHost: string | undefined } | undefined>;
  /** Where mail for an address goes. Rejects with `unknown-user`, `directory-unavailable`. */
  expand(address: string): Promise<Expansion>;
}

export interface OwnLaneOptions {
  readonly accounts: AccountsView;
  readonly rules: KeyRules;
  readonly isOurDomain: (domain: string) => boolean;
  readonly lanes: LaneOptions;
  readonly log: Logger;
}

export class OwnLane implements Lane {
  readonly usable = true;
  readonly #options: OwnLaneOptions;

  constructor(options: OwnLaneOptions) {
    this.#options = options;
  }

  async deliver(item: LookedAtItem, recipients: readonly QueueRecipient[]): Promise<readonly TryOutcome[]> {
    const found = await Promise.all(recipients.map((recipient) => this.#find(recipient)));
    const accounts = found.flatMap((one) => ('account' in one ? [one.account] : []));
    const stored = await this.#store(item, accounts);
    let next = 0;
    return found.map((one) => {
      if (!('account' in one)) return one;
      next += 1;
      return stored[next - 1] ?? this.#failed(new Error('no outcome'), item);
    });
  }

  async close(): Promise<void> {
    await Promise.resolve(); // nothing is held
  }

  async #find(recipient: QueueRecipient): Promise<{ readonly account: Account } | TryOutcome> {
    const { address, final, node } = recipient;
    try {
      const expansion = final === 'yes' ? { kind: 'mailbox' as const } : await this.#options.accounts.expand(address);
      if (expansion.kind === 'addresses') {
        return { at: 'expanded', into: expansion.addresses.map((one) => ({ address: one, destination: destinationOf(one, this.#options.isOurDomain) })) };
      }
      if (expansion.kind === 'unusable') {
        const { status, text } = expansionWords(expansion.problem);
        return { at: 'refused', permanent: 'yes', words: ownWords(status, text) };
      }
      return { account: await this.#options.accounts.open(address, 'smtp') };
    } catch (thrown) {
      if (isFailure(thrown, 'not-kept-here')) return this.#elsewhere(address, thrown);
      if (isFailure(thrown, 'directory-unavailable') && node !== undefined) return this.#byWordOfFrontend(address, node, thrown);
      if (isFailure(thrown, 'mailbox-disabled')) return { at: 'refused', permanent: 'yes', words: ownWords('5.2.1', thrown.message) };
      if (isFailure(thrown, 'unknown-user')) return { at: 'refused', permanent: 'yes', words: ownWords('5.1.1', 'no such user here') };
      return this.#outage(thrown);
    }
  }

  /** No directory answers. The node that the front-end named knows for sure whether it keeps the mailbox, and takes nothing else. */
  async #byWordOfFrontend(address: string, node: string, outage: Failure): Promise<{ readonly account: Account } | TryOutcome> {
    const { nodeName, lmtpOf } = this.#options.lanes;
    if (node !== nodeName) return lmtpOf(node) === undefined ? this.#outage(outage) : { at: 'moved', destination: `node:${node}`, dueAtMs: Date.now() };
    try {
      return { account: await this.#options.accounts.open(address, 'smtp') };
    } catch (thrown) {
      return isFailure(thrown, 'not-kept-here') ? this.#elsewhere(address, thrown) : this.#outage(thrown);
    }
  }

  async #elsewhere(address: string, failure: Failure): Promise<TryOutcome> {
    if (failure.node !== undefined && failure.node !== this.#options.lanes.nodeName) {
      return { at: 'moved', destination: `node:${failure.node}`, dueAtMs: Date.now() };
    }
    try {
      const mailHost = (await this.#options.accounts.lookUp(address))?.mailHost;
      // A mail host that is no node of ours: another kind of server (foreignBackends).
      if (failure.node === undefined && mailHost !== undefined) return { at: 'moved', destination: `host:${mailHost}`, dueAtMs: Date.now() };
    } catch (thrown) {
      return this.#outage(thrown);
    }
    return { at: 'outage', dueAtMs: this.#options.lanes.outageDueAtMs(), words: ownWords('4.3.5', 'no server keeps this mailbox at the moment') };
  }

  async #store(item: LookedAtItem, accounts: readonly Account[]): Promise<readonly TryOutcome[]> {
    const { rules, lanes } = this.#options;
    const { acceptedAtMs, confirmation, standingAtMs } = item;
    const acceptance = { id: `${lanes.nodeName}-${item.id}`, acceptedAtMs, confirmation, holder: '', standingAtMs };
    const message = { sender: item.sender.address, trace: item.trace, bytes: lanes.bytesOf(item), maxBytes: Infinity, digest: item.digest, acceptance };
    try {
      const outcomes = await deliverLocally(rules, { message, accounts });
      this.#options.log.info({ item: item.id, stored: placesOf(outcomes, accounts) }, 'message stored');
      return await Promise.all(outcomes.map(async (outcome, index) => (outcome.at === 'failed' ? this.#notStored(outcome.thrown, item, accounts[index]) : this.#delivered(item))));
    } catch (thrown) {
      return accounts.map(() => this.#failed(thrown, item));
    }
  }

  /** An account may have gone to another node since it was opened. */
  async #notStored(thrown: unknown, item: QueueItem, account: Account | undefined): Promise<TryOutcome> {
    return account !== undefined && isFailure(thrown, 'not-kept-here') ? this.#elsewhere(account.address, thrown) : this.#failed(thrown, item);
  }

  #delivered(item: QueueItem): TryOutcome {
    return { at: 'delivered', told: item.confirmation, report: 'delivered', words: ownWords('2.1.5', 'delivered') };
  }

  #failed(thrown: unknown, item: QueueItem): TryOutcome {
    if (isFailure(thrown, 'over-quota')) return { at: 'refused', permanent: 'no', words: ownWords('4.2.2', 'mailbox is full') };
    if (!isFailure(thrown)) this.#options.log.error({ err: thrown, item: item.id }, 'local delivery failed');
    return this.#outage(thrown, this.#options.lanes.heldDueAtMs(item));
  }

  /** @param heldDueAtMs when to try again what is held up by use of the mailbox */
  #outage(thrown: unknown, heldDueAtMs = this.#options.lanes.movedDueAtMs()): TryOutcome {
    const { outageDueAtMs } = this.#options.lanes;
    const text = isFailure(thrown) ? thrown.message : 'internal error';
    return { at: 'outage', dueAtMs: isFailure(thrown, 'in-use') ? heldDueAtMs : outageDueAtMs(), words: ownWords('4.3.0', text) };
  }
}
