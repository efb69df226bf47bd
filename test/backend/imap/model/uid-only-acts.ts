/** ENABLE UIDONLY, and what then is refused (RFC 9586 section 3). */
import assert from 'node:assert/strict';
import type { Act } from './acts.ts';
import { expectKeywords, onlyKeywords } from './message-acts.ts';
import type { Player } from './player.ts';
import type { Stage } from './stage.ts';

const refused = ['FETCH 1 (FLAGS)', 'STORE 1 +FLAGS (\\Deleted)', 'SEARCH ALL', 'COPY 1 INBOX', 'MOVE 1 INBOX', 'UID SEARCH RETURN (SAVE) 1:*', 'UID SEARCH NOT OR SEEN 1', 'SORT (ARRIVAL) UTF-8 ALL', 'UID THREAD REFERENCES UTF-8 1:*', 'SEARCH RETURN (SAVE) ALL'] as const;

export async function uidOnly(stage: Stage, player: Player, act: Act): Promise<void> {
  const { model } = player;
  if (model.numbering === 'uids') return demandUids(stage, player, act);
  const { others } = await stage.run(player, { text: 'ENABLE UIDONLY', status: 'OK', then: () => { model.enableUidOnly(); } });
  onlyKeywords(others.filter(({ kind }) => kind !== 'enabled'));
  assert.equal(others.filter(({ kind }) => kind === 'enabled').length, 1);
}

/** Nothing is done, and `$` stays what it was. */
async function demandUids(stage: Stage, player: Player, act: Act): Promise<void> {
  if (player.model.view === undefined) return;
  await expectKeywords(stage, player, { text: 'NOOP', status: 'OK' });
  const { code } = await expectKeywords(stage, player, { text: refused[act.a % refused.length] ?? 'SEARCH ALL', status: 'BAD' });
  assert.equal(code, 'UIDREQUIRED');
}
