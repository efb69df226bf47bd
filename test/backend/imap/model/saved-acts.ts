/** `$` (RFC 5182) after an EXPUNGE: it stands for the messages that were found, wherever they stand now (section 2.1). */
import type { Act } from './acts.ts';
import { alive, expectKeywords, expunge, fetch, viewOf } from './message-acts.ts';
import type { Player } from './player.ts';
import type { Stage } from './stage.ts';

/** Messages behind the first are saved, that one is removed, and then they are asked for. */
export async function useSaved(stage: Stage, player: Player, act: Act): Promise<void> {
  const { model } = player;
  const view = viewOf(model);
  const rights = stage.rightsIn(player);
  const [first, ...rest] = alive(view, view.uids);
  if (first === undefined || rest.length === 0 || view.access === 'read-only' || !rights.includes('t') || !rights.includes('e')) return;
  const found = rest.slice(act.b % rest.length).slice(0, 1 + (act.c % 3)).map(({ uid }) => uid);
  await expectKeywords(stage, player, { text: `UID SEARCH RETURN (SAVE) UID ${found.join(',')}`, status: 'OK' });
  view.saved = found;
  await expectKeywords(stage, player, {
    text: `UID STORE ${String(first.uid)} +FLAGS (\\Deleted)`, status: 'OK', own: new Set([first.uid]),
    effects: [{ mailbox: view.mailbox, flagged: new Map([[first.uid, new Set([...first.flags, '\\Deleted'])]]) }],
    fetched: new Map([[first.uid, model.condstore === 'on' ? ['flags', 'modseq'] : ['flags']]]),
  });
  await expunge(stage, player, { ...act, kind: 'expunge' });
  await fetch(stage, player, { ...act, a: model.numbering === 'uids' || act.a % 2 === 1 ? 9 : 8, c: 5 * 7 * act.c + 1 });
}
