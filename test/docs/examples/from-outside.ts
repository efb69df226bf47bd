/** What an example must show: a good configuration; and from outside, that mail comes in, and its user reads it by every protocol. */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { attempt, logins } from '../../harness/attempts.ts';
import type { Attempt, Doors, Outcome, Protocol } from '../../harness/attempts.ts';
import type { Example } from '../../harness/example-cluster.ts';
import { peoplesPassword } from '../../harness/people.ts';

type What = Pick<Attempt, 'node' | 'address'> & Partial<Attempt>;

/** Its configuration, with what the test has put into it, is one that `waybill config check` takes. */
export async function isGood(example: Example): Promise<void> {
  const { code, complaint } = await example.command(['config', 'check', example.configFile]);
  assert.equal(code, 0, complaint);
}

/** One try; the outcome must be the one that is expected. Answers the words. */
export async function tried(doors: Doors, protocol: Protocol, { expect = 'ok', ...what }: What & { readonly expect?: Outcome }): Promise<string> {
  const { outcome, words } = await attempt(doors, { protocol, password: peoplesPassword, subject: `about-${randomUUID()}`, from: '127.0.0.1', ...what });
  assert.equal(outcome, expect, `${what.address} by ${protocol} at ${what.node}: ${words}`);
  return words;
}

/** Mail comes to the user from outside, and is read by these protocols at all these doors; a wrong password opens nothing. */
export async function worksFromOutside(doors: Doors, who: What & { readonly at?: readonly string[] }, protocols: readonly Protocol[] = logins): Promise<void> {
  const { at = [who.node], ...what } = who;
  const subject = `first-${randomUUID()}`;
  await tried(doors, 'mx', { ...what, subject });
  for (const node of at) {
    for (const protocol of protocols) await tried(doors, protocol, { ...what, node, ...(protocol === 'submission' ? {} : { subject }) });
  }
  const [first = 'imap'] = protocols;
  await tried(doors, first, { ...what, password: 'wrong', from: '127.66.6.6', expect: 'refused' });
}
