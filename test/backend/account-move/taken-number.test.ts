/** Two storages that gave the same number to different messages: the move is refused, and nobody sees the other's mail. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { localSource } from '../../../backend/account-move/local-source.ts';
import { bringAccount } from '../../../backend/account-move/move.ts';
import type { MoveSource } from '../../../backend/account-move/source.ts';
import { isFailure } from '../../../shared/base/failure.ts';
import { mailboxOf, temporaryStorage } from '../storage/harness.ts';
import type { Account } from '../../../backend/storage/storage.ts';

async function put(account: Account, text: string): Promise<number> {
  const bytes = Buffer.from(`Subject: ${text}\r\nMessage-ID: <${text}@x>\r\n\r\n${text}\r\n`);
  const staged = await account.stage((async function* () { yield bytes; })(), 10_000);
  await mailboxOf(account).append([{ staged, marks: { flags: 0, keywords: [] } }]);
  await staged.discard();
  return mailboxOf(account).rows().at(-1)?.messageId ?? 0;
}

/** The source as it would be, had its storage given `number` to the message that it calls `own`. */
function renumbered(source: MoveSource, own: number, number: number): MoveSource {
  return {
    ...source,
    changes: async (...args) => {
      const page = await source.changes(...args);
      return { ...page, rows: page.rows.map((row) => ({ ...row, messageId: row.messageId === own ? number : row.messageId })) };
    },
    messages: async function* (address, ids) {
      for await (const message of source.messages(address, ids.map((id) => (id === number ? own : id)))) {
        yield { ...message, messageId: message.messageId === own ? number : message.messageId };
      }
    },
  };
}

test('a number that is taken by another message refuses the move', async (t) => {
  const be1 = await temporaryStorage(t);
  const be2 = await temporaryStorage(t, { nodeName: 'be2' });
  const alice = await be1.createAccount('alice@example.com');
  const bob = await be2.createAccount('bob@example.com');
  const own = await put(alice, 'of alice');
  const taken = await put(bob, 'of bob and of nobody else');
  const source = renumbered(localSource('be1', be1), own, taken);
  await assert.rejects(
    bringAccount({ address: 'alice@example.com', source, node: 'be2', storage: be2, holdMs: 10_000, tell: () => undefined }),
    (error) => isFailure(error) && /taken by another/.test(`${error.message} ${String(error.cause)}`),
  );
  assert.equal(be1.find('alice@example.com').at, 'live');
  assert.notEqual(be2.find('alice@example.com').at, 'live');
  assert.match(String(await mailboxOf(bob).message(1)?.read(0, 1000)), /of bob and of nobody else/);
});
