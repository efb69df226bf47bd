/** Reads a back-end's "not kept here": `451 4.3.5 <referral NODE> …`. */
import type { Reply } from '../../shared/smtp/reply.ts';
import { SmtpRefused } from '../../shared/smtp/refusal.ts';

const referralPattern = /^<referral ([A-Za-z0-9.-]{1,253})>/u;

/** Undefined when what was thrown is no such reply; `node` is undefined when the back-end doesn't know who keeps it. */
export function referralOf(thrown: unknown): { readonly node: string | undefined } | undefined {
  if (!(thrown instanceof SmtpRefused) || thrown.reply.code !== 451 || thrown.reply.enhanced !== '4.3.5') return undefined;
  return { node: referralPattern.exec(thrown.reply.lines[0] ?? '')?.[1] };
}

/** A node of ours says so of an account whose move takes longer than it wants to wait: a custodian has more patience. */
export function isBeingMoved({ code, enhanced }: Reply): boolean {
  return code === 450 && enhanced === '4.2.0';
}
