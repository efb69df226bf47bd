/** What SMTP says of an address whose forwarding or members lead nowhere. */
import { makeReply } from '../smtp/reply.ts';
import { SmtpRefused } from '../smtp/refusal.ts';
import type { ExpansionProblem } from './expansion.ts';

/** The status code (RFC 3463: 5.4.6 is a routing loop, 5.2.4 a mailing list expansion problem) and words for it. */
export function expansionWords(problem: ExpansionProblem): { readonly status: string; readonly text: string } {
  if (problem === 'loop') return { status: '5.4.6', text: 'forwarding leads back to itself' };
  return { status: '5.2.4', text: problem === 'empty' ? 'the list has no members' : `the list is ${problem}` };
}

/** The refusal of a recipient. */
export function expansionRefused(problem: ExpansionProblem): SmtpRefused {
  const { status, text } = expansionWords(problem);
  return new SmtpRefused('rcpt', makeReply(550, status, text));
}
