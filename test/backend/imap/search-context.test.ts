/** What a search that is kept up to date holds of its messages. */
import assert from 'node:assert/strict';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { test } from 'node:test';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import type { Selected } from '../../../backend/imap/command.ts';
import { followResults } from '../../../backend/imap/search-context.ts';
import type { Follower } from '../../../backend/imap/view.ts';

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

test('Of the messages of a sorted result only uids and what they are sorted by are held', async () => {
  const followers = new Map<string, Follower>();
  const selected = { session: { tag: 'a' }, view: { followers } } as unknown as Selected;
  const rows: WeakRef<object>[] = [];
  const messages = (): Parameters<typeof followResults>[1]['messages'] => Array.from({ length: 10 }, (_, index) => {
    const row = { uid: index + 1, modseq: 1, flags: 0, keywords: 0, size: 1, internalDateMs: 0, savedDateMs: 0, messageId: 1, threadId: 1 };
    rows.push(new WeakRef(row));
    return { message: { sequence: index + 1, row }, values: [index] };
  });
  for (const criteria of [[{ key: 'SIZE', direction: 'ascending' } as const], undefined]) {
    assert.ok(followResults(selected, { key: { key: 'all' }, numbers: 'uid', criteria, correlator: 'TAG "a"', fetch: [], messages: messages() }));
    await nextTurn();
    collectGarbage();
    assert.deepEqual([followers.get('a')?.size, rows.filter((row) => row.deref() !== undefined).length], [10, 0]);
    followers.clear();
  }
});
