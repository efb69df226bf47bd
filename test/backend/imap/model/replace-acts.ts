/** REPLACE (RFC 8508): one message in the place of another, in the same mailbox or a different one, which may be somebody else's. */
import assert from 'node:assert/strict';
import { flagsOf } from './acts.ts';
import type { Act } from './acts.ts';
import { arrivalOf, letterOf } from './letters.ts';
import type { Effect } from './mailbox-model.ts';
import { alive, borne, checkUids, onlyKeywords, viewOf, whyNotInto } from './message-acts.ts';
import type { Player } from './player.ts';
import type { Stage } from './stage.ts';

export async function replace(stage: Stage, player: Player, act: Act): Promise<void> {
  const { model, model: { qresync } } = player;
  const view = viewOf(model);
  const uid = view.uids[act.b % Math.max(1, view.uids.length)];
  const target = stage.spot(player, act.c >> 2);
  const changesAccount = target.account !== view.mailbox.home;
  if (uid === undefined || (changesAccount && player.home === 'on another node')) return; // between nodes both are there for a moment
  const byUid = act.a % 2 === 1 || view.numbering === 'uids';
  const [old] = alive(view, [uid]);
  const letter = letterOf(act.c);
  const flags = flagsOf(act.b);
  const hasRoom = old !== undefined && target.account.hasRoomFor([letter], changesAccount ? [] : [old.letter]);
  const why = whyNotFrom(stage, player) ?? whyNotInto(target, []) ?? (old === undefined ? 'EXPUNGEISSUED' : hasRoom ? undefined : 'OVERQUOTA');
  const { others, code } = await stage.run(player, {
    text: `${byUid ? 'UID ' : ''}REPLACE ${String(byUid ? uid : view.uids.indexOf(uid) + 1)} ${target.text} (${flags.join(' ')}) ${arrivalOf(letter)} {${String(letter.text.length)}+}\r\n${letter.text}`,
    status: why === undefined ? 'OK' : 'NO', effects: why === undefined ? effectsOf() : [],
  });
  const told = others.find((one) => one.kind === 'code' && one.code === 'APPENDUID');
  onlyKeywords(others.filter((one) => one !== told));
  assert.equal(code, why ?? (qresync === 'on' ? `HIGHESTMODSEQ ${String(view.mailbox.highestModseq)}` : undefined));
  if (why !== undefined || target.mailbox === undefined) return;
  if (target.rights.includes('r')) checkUids(told?.kind === 'code' ? `APPENDUID ${told.value}` : undefined, 'APPENDUID', { mailbox: target.mailbox, count: 1 });
  else assert.equal(told, undefined, 'who may not read learns no uids');

  function effectsOf(): Effect[] {
    const { mailbox } = target;
    const added = [{ letter, flags: borne(target, flags) }];
    const gone = new Set(uid === undefined ? [] : [uid]);
    if (mailbox === undefined) return [];
    return mailbox === view.mailbox ? [{ mailbox, added, gone }] : [{ mailbox: view.mailbox, gone }, { mailbox, added }];
  }
}

/** It needs the rights of who marks the old one and expunges it (RFC 8508 section 4.1). */
function whyNotFrom(stage: Stage, player: Player): string | undefined {
  if (viewOf(player.model).access === 'read-only') return 'NOPERM';
  const rights = stage.rightsIn(player);
  return rights.includes('t') && rights.includes('e') ? undefined : rights.includes('l') ? 'NOPERM' : 'NONEXISTENT';
}
