/** Submission as a front-end passes it on: the user is named, the session ends with QUIT. */
import assert from 'node:assert/strict';
import type { EnvelopeRecipient, EnvelopeSender } from '../../../shared/smtp/commands.ts';
import { openLeg, pieces } from './cluster.ts';
import type { TestNode } from './test-node.ts';

export async function submit(node: Pick<TestNode, 'ports'>, bytes: Buffer, envelope: { readonly sender?: Partial<EnvelopeSender>; readonly to: readonly (string | EnvelopeRecipient)[] }): Promise<void> {
  const leg = await openLeg(node.ports.submission, { protocol: 'smtp', login: 'alice@example.com' });
  assert.equal((await leg.mail({ address: 'alice@example.com', ...envelope.sender })).code, 250);
  for (const one of envelope.to) assert.equal((await leg.rcpt(typeof one === 'string' ? { address: one } : one)).code, 250);
  assert.equal((await leg.data(pieces(bytes)))[0]?.code, 250);
  await leg.quit();
}
