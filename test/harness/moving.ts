/** What the tests of moves in a whole cluster share: the command, what `map check` finds, a message to somebody. */
import assert from 'node:assert/strict';
import type { Cluster, NodeName } from './cluster.ts';
import { runCommand } from './command.ts';
import type { CommandOutcome } from './command.ts';
import { newMessage } from './messages.ts';
import { deliver } from './smtp-session.ts';

export async function moveAccount(cluster: Cluster, user: string, ...words: readonly string[]): Promise<CommandOutcome> {
  return runCommand(cluster, ['account', 'move', user, ...words, '--json']);
}

export async function mapFindings(cluster: Cluster): Promise<readonly { readonly kind: string; readonly address?: string }[]> {
  const { output, complaint } = await runCommand(cluster, ['map', 'check', '--json']);
  assert.notEqual(output, '', complaint);
  return (JSON.parse(output) as { findings: { kind: string; address?: string }[] }).findings;
}

/** Answers the subject. */
export async function sendTo(cluster: Cluster, node: NodeName, user: string): Promise<string> {
  const { subject, bytes } = newMessage();
  assert.match(await deliver(cluster, node, { from: 'sender@example.net', to: [`${user}@example.com`], bytes }), /^250 /);
  return subject;
}
