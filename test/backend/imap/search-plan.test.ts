/** How much a search with many keys holds while it is planned by the text index. */
import assert from 'node:assert/strict';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { test } from 'node:test';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { Relevance } from '../../../backend/imap/relevance.ts';
import { planSearch } from '../../../backend/imap/search-plan.ts';
import type { PlanGround } from '../../../backend/imap/search-plan.ts';
import { Verdict } from '../../../backend/text-index/text-index.ts';
import type { SearchKey } from '../../../shared/imap/search-keys.ts';

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

test('Verdicts on each of a search\'s keys are not held until all of them are there', async () => {
  const count = 1000;
  const told: WeakRef<Uint8Array>[] = [];
  let mostHeld = 0;
  // The index says `unknown` to all but the last key; to that no.
  const texts = {
    verdicts: async (_mailbox: unknown, { value }: { readonly value: string }): Promise<Uint8Array> => {
      await nextTurn();
      collectGarbage();
      mostHeld = Math.max(mostHeld, told.filter((each) => each.deref() !== undefined).length);
      const verdicts = new Uint8Array(count).fill(value === 'LAST' ? Verdict.no : Verdict.unknown);
      told.push(new WeakRef(verdicts));
      return verdicts;
    },
  };
  const view = { count, mailbox: {}, uids: Array.from({ length: count }, (_, index) => index + 1) };
  const ground = { view, texts, relevance: new Relevance() } as unknown as PlanGround;
  const operands = Array.from({ length: 30 }, (_, index): SearchKey => ({ key: 'text', value: index === 29 ? 'last' : 'x' }));
  assert.deepEqual(await planSearch({ key: 'and', operands: [...operands, { key: 'flag', flag: '\\Seen' }] }, ground), new Uint8Array(count).fill(Verdict.no));
  assert.ok(mostHeld <= 3, String(mostHeld));
  assert.deepEqual(await planSearch({ key: 'or', left: { key: 'flag', flag: '\\Seen' }, right: { key: 'text', value: 'last' } }, ground), new Uint8Array(count).fill(Verdict.unknown));
});
