/** One open connection to a server that takes mail, by SMTP or LMTP, and what became of each recipient of a message sent over it. */
import { isFailure } from '../../shared/base/failure.ts';
import { needsSmtpUtf8 } from '../../shared/smtp/address.ts';
import type { SmtpClient } from '../../shared/smtp/client.ts';
import type { EnvelopeRecipient, EnvelopeSender } from '../../shared/smtp/commands.ts';
import { isPositive, makeReply } from '../../shared/smtp/reply.ts';
import type { Reply } from '../../shared/smtp/reply.ts';
import { OutcomeUnknown, SmtpRefused } from '../../shared/smtp/refusal.ts';
import { headerForm } from '../../shared/smtp/header-form.ts';
import { edited } from '../../shared/mime/message-edits.ts';
import { planSevenBit } from '../../shared/mime/seven-bit.ts';

export type RecipientOutcome =
  /** `passedOn`: the peer was told the DSN wishes, and reports from now on (RFC 3461 section 5.2). */
  | { readonly at: 'delivered'; readonly reply: Reply; readonly reports: 'passed-on' | 'ours' }
  /** A 4xx or 5xx reply. */
  | { readonly at: 'refused'; readonly reply: Reply }
  /** The line broke, before or after the final dot: to be tried again. */
  | { readonly at: 'broken'; readonly reason: string };

export interface OutgoingMessage {
  readonly sender: EnvelopeSender;
  /** Fresh at each call. */
  bytes(): AsyncIterable<Buffer>;
}

/** Not for concurrent use. */
export interface DeliveryChannel {
  /** The server at the other end, for logs and reports. */
  readonly peer: string;
  /** False after a broken line: open another. */
  readonly usable: boolean;
  /** One outcome for each recipient, in their order. Never rejects for what the peer does. */
  send(message: OutgoingMessage, recipients: readonly EnvelopeRecipient[]): Promise<readonly RecipientOutcome[]>;
  close(): Promise<void>;
}

interface Numbered {
  readonly recipient: EnvelopeRecipient;
  readonly index: number;
}

export class SmtpChannel implements DeliveryChannel {
  readonly peer: string;
  readonly #client: SmtpClient;
  readonly #protocol: 'smtp' | 'lmtp';

  constructor(client: SmtpClient, options: { readonly peer: string; readonly protocol: 'smtp' | 'lmtp' }) {
    this.#client = client;
    this.peer = options.peer;
    this.#protocol = options.protocol;
  }

  get usable(): boolean {
    return this.#client.alive;
  }

  async send(message: OutgoingMessage, recipients: readonly EnvelopeRecipient[]): Promise<readonly RecipientOutcome[]> {
    const outcomes: (RecipientOutcome | undefined)[] = recipients.map(() => undefined);
    try {
      await this.#transact(message, recipients, outcomes);
      return outcomes.map((outcome) => outcome ?? { at: 'broken', reason: 'no reply' });
    } catch (thrown) {
      const rest = this.#outcomeOf(thrown);
      this.#client.destroy();
      return outcomes.map((outcome) => outcome ?? rest);
    }
  }

  async close(): Promise<void> {
    await this.#client.quit();
  }

  async #transact(given: OutgoingMessage, recipients: readonly EnvelopeRecipient[], outcomes: (RecipientOutcome | undefined)[]): Promise<void> {
    const tellable = await this.#tellable(given, recipients, outcomes);
    if (tellable.length === 0) return;
    const message = this.#client.extensions.has('8BITMIME') ? given : await sevenBitOf(given);
    if (message === undefined) {
      for (const { index } of tellable) outcomes[index] = { at: 'refused', reply: conversionNeeded };
      return;
    }
    const { sender, recipients: replies } = await this.#client.envelope(message.sender, tellable.map(({ recipient }) => recipient));
    if (!isPositive(sender)) {
      for (const { index } of tellable) outcomes[index] = { at: 'refused', reply: sender };
      return;
    }
    const accepted = tellable.filter(({ index }, order) => {
      const reply = replies[order];
      if (reply !== undefined && !isPositive(reply)) outcomes[index] = { at: 'refused', reply };
      return reply !== undefined && isPositive(reply);
    });
    if (accepted.length === 0) {
      await this.#client.reset();
      return;
    }
    // SMTP has one reply for all recipients, LMTP one for each; what came before the line broke counts.
    const { replies: answers, broken } = await this.#finalReplies(message);
    for (const [order, { index }] of accepted.entries()) {
      const reply = this.#protocol === 'smtp' ? answers[0] : answers[order];
      if (reply !== undefined) outcomes[index] = this.#answered(reply);
    }
    if (broken !== undefined) throw broken;
  }

  /**
   * Those of whom the server can be told; the others are refused here. A server without SMTPUTF8 takes neither addresses nor
   * headers that are not ASCII (RFC 6531 sections 3.2 and 3.5), and one such recipient is no reason against the others.
   */
  async #tellable(message: OutgoingMessage, recipients: readonly EnvelopeRecipient[], outcomes: (RecipientOutcome | undefined)[]): Promise<readonly Numbered[]> {
    const numbered = recipients.map((recipient, index) => ({ recipient, index }));
    if (this.#client.extensions.has('SMTPUTF8')) return numbered;
    const refuse = (of: readonly Numbered[], reply: Reply): void => of.forEach(({ index }) => { outcomes[index] = { at: 'refused', reply }; });
    if (message.sender.smtpUtf8 === true && (await headerForm(message.bytes())) === 'utf8') {
      refuse(numbered, makeReply(550, '5.6.9', 'the server does not take internationalised headers (SMTPUTF8)'));
      return [];
    }
    const isTellable = ({ recipient }: Numbered): boolean => !needsSmtpUtf8(localPartOf(recipient.address)) && !needsSmtpUtf8(localPartOf(message.sender.address));
    refuse(numbered.filter((one) => !isTellable(one)), makeReply(550, '5.6.7', 'the server does not take internationalised addresses (SMTPUTF8)'));
    return numbered.filter(isTellable);
  }

  async #finalReplies(message: OutgoingMessage): Promise<{ readonly replies: readonly Reply[]; readonly broken?: OutcomeUnknown }> {
    try {
      return { replies: await this.#client.data(message.bytes()) };
    } catch (thrown) {
      if (thrown instanceof OutcomeUnknown) return { replies: thrown.replies, broken: thrown };
      throw thrown;
    }
  }

  #answered(reply: Reply): RecipientOutcome {
    if (!isPositive(reply)) return { at: 'refused', reply };
    return { at: 'delivered', reply, reports: this.#client.extensions.has('DSN') ? 'passed-on' : 'ours' };
  }

  #outcomeOf(thrown: unknown): RecipientOutcome {
    if (thrown instanceof SmtpRefused) return { at: 'refused', reply: thrown.reply };
    // Our own client refuses to send what can't be an address.
    if (isFailure(thrown, 'bad-input') && this.#client.alive) return { at: 'refused', reply: makeReply(550, '5.1.3', thrown.message) };
    return { at: 'broken', reason: `${this.#client.stage}: ${thrown instanceof Error ? thrown.message : String(thrown)}` };
  }
}

/** RFC 3463: conversion required but not supported. */
const conversionNeeded = makeReply(554, '5.6.3', 'the server takes 7-bit messages only, and this one can not be converted');

/** The message as a server without 8BITMIME may get it (RFC 6152 section 3); undefined when that would break it. */
async function sevenBitOf({ sender, bytes }: OutgoingMessage): Promise<OutgoingMessage | undefined> {
  const plan = await planSevenBit(bytes);
  if (plan.kind === 'impossible') return undefined;
  // How long it becomes is not known yet.
  return plan.kind === 'as-is' ? { sender, bytes } : { sender: { ...sender, size: undefined }, bytes: () => edited(bytes(), plan.edits) };
}

/** A domain always has an ASCII form. */
function localPartOf(address: string): string {
  return address.slice(0, Math.max(0, address.lastIndexOf('@')));
}
