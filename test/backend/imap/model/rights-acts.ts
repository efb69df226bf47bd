/** SETACL, DELETEACL, GETACL, LISTRIGHTS and MYRIGHTS (RFC 4314), and what a guest sees in LIST. */
import assert from 'node:assert/strict';
import { isDeepStrictEqual } from 'node:util';
import { inboxNumber } from './acts.ts';
import type { Act } from './acts.ts';
import { unselect } from './mailbox-acts.ts';
import { onlyKeywords } from './message-acts.ts';
import type { Player } from './player.ts';
import { allRights, inOrder, refusal, rightsOf, written } from './rights-model.ts';
import type { Spot } from './rights-model.ts';
import type { Stage } from './stage.ts';

const letters = ['lrswite', 'lr', 'lrs', 'lrswit', 'lrswipkxtea', 'lri', 'r', 'lrwie', 'lrk', 'i', 'cd', '', 'lrte', 'a', 'lx', 'l'] as const;

/** One of the owner's mailboxes, which may be there or not; half of the time INBOX. */
function spotOf(stage: Stage, player: Player, { a, b }: Act): Spot {
  return stage.spot(player, b % 2 === 0 || a % 5 === 0 ? inboxNumber : a);
}

export async function grant(stage: Stage, player: Player, act: Act): Promise<void> {
  const spot = spotOf(stage, player, act);
  const someone = stage.identifiers[act.c % stage.identifiers.length] ?? 'anyone';
  const who = act.a % 7 === 0 ? `-${someone}` : someone;
  const isDeleted = act.a % 11 === 0;
  const mode = isDeleted ? '' : (['', '', '+', '-'] as const)[act.b % 4] ?? '';
  const said = isDeleted ? '' : letters[(act.c >> 2) % letters.length] ?? '';
  const meant = said === 'cd' ? 'kxte' : said;
  const why = refusal(spot, 'a');
  if (player.home !== 'owner' && player.model.view !== undefined) await unselect(stage, player); // nobody takes from himself what he reads
  const { code } = await expectNothing(stage, player, {
    text: isDeleted ? `DELETEACL ${spot.text} ${who}` : `SETACL ${spot.text} ${who} ${mode}${said === '' ? mode === '' ? '""' : 'l' : said}`, status: why === undefined ? 'OK' : 'NO',
    then: () => {
      if (why !== undefined || spot.mailbox === undefined) return;
      const before = spot.mailbox.grants.get(who) ?? '';
      const given = mode !== '' && meant === '' ? 'l' : meant;
      spot.mailbox.grants.set(who, mode === '' ? inOrder(given) : mode === '+' ? inOrder(before + given) : [...before].filter((right) => !given.includes(right)).join(''));
    },
  });
  assert.equal(code, why);
}

async function expectNothing(stage: Stage, player: Player, command: Parameters<Stage['run']>[1]): Promise<{ readonly code: string | undefined }> {
  const { others, code } = await stage.run(player, command);
  onlyKeywords(others);
  return { code };
}

/** One of the commands that tell rights. */
export async function readRights(stage: Stage, player: Player, act: Act): Promise<void> {
  const spot = spotOf(stage, player, act);
  const { mailbox, rights, text, account } = spot;
  const someone = stage.identifiers[act.c % stage.identifiers.length] ?? 'anyone';
  const [verb, more, right, expected] = ([
    ['MYRIGHTS', '', [...'lrikxa'].find((one) => rights.includes(one)) ?? 'l', [written(rights)]],
    ['GETACL', '', 'a', [account.address, written(allRights), ...[...mailbox?.grants ?? []].flatMap(([who, given]) => (given === '' ? [] : [who, written(given)]))]],
    ['LISTRIGHTS', ` ${someone}`, 'a', [someone, '""', ...allRights, 'c', 'd']],
  ] as const)[act.a % 3] ?? assert.fail();
  const why = refusal(spot, right);
  const { others, code } = await stage.run(player, { text: `${verb} ${text}${more}`, status: why === undefined ? 'OK' : 'NO' });
  const told = others.filter(({ kind }) => kind === 'rights');
  onlyKeywords(others.filter((one) => !told.includes(one)));
  assert.equal(code, why);
  const sorted = (words: readonly string[]): readonly string[] => (verb === 'GETACL' ? words.toSorted() : words);
  assert.deepEqual(told.map((one) => (one.kind === 'rights' ? { ...one, words: sorted(one.words) } : one)), why === undefined ? [{ kind: 'rights', of: verb === 'GETACL' ? 'ACL' : verb, name: text.replaceAll('"', ''), words: sorted(expected) }] : []);
}

/** For so long a node remembers what another one said is shared (docs/shared-folders.md). */
const rememberedMs = 5000;

/** What of the owner's a guest may see, with the rights. */
function visibleTo(stage: Stage, player: Player): ReadonlyMap<string, string> {
  const all = [...stage.account.mailboxes.values()].map((mailbox): [string, string] => [`Other Users/${stage.account.address}/${mailbox.name}`, rightsOf(mailbox, player.address)]);
  return new Map(all.filter(([, rights]) => rights.includes('l')));
}

/** At once on the owner's node; on another one it may be what was so when its node asked last. */
export async function listShared(stage: Stage, player: Player): Promise<void> {
  const beganMs = performance.now();
  const { others } = await stage.run(player, { text: 'LIST "" "Other Users/*" RETURN (MYRIGHTS)', status: 'OK' });
  const endedMs = performance.now();
  const now = visibleTo(stage, player);
  const heard = stage.remembered.get(player.address);
  const mustBeNew = player.home === 'on the node of the owner' || heard === undefined || beganMs - heard.endedMs > rememberedMs;
  const mustBeOld = !mustBeNew && endedMs - heard.beganMs < rememberedMs;
  const rights = new Map(others.flatMap((one): [string, string][] => (one.kind === 'rights' ? [[one.name, one.words.join(' ')]] : [])));
  const names = others.flatMap((one) => (one.kind === 'list' && !one.attributes.includes('\\NonExistent') ? [one.name] : []));
  const levels = others.flatMap((one) => (one.kind === 'list' && one.attributes.includes('\\NonExistent') ? [one.name] : []));
  onlyKeywords(others.filter(({ kind }) => kind !== 'list' && kind !== 'rights'));
  const toldAs = (visible: ReadonlyMap<string, string>): unknown => ({ names: [...visible.keys()].toSorted(), rights: Object.fromEntries([...visible].map(([name, letters_]) => [name, written(letters_)])), levels: levelsAbove([...visible.keys()]) });
  const told = { names: names.toSorted(), rights: Object.fromEntries(rights), levels: levels.toSorted() };
  const isNew = mustBeNew || (!mustBeOld && isDeepStrictEqual(told, toldAs(now)));
  assert.deepEqual(told, toldAs(isNew || heard === undefined ? now : heard.visible));
  // What may have been remembered still, and is so, may have been asked for then or now.
  if (isNew) stage.remembered.set(player.address, { beganMs: mustBeNew ? beganMs : heard.beganMs, endedMs, visible: now });
}

/** Those that are no mailboxes which are told. */
function levelsAbove(names: readonly string[]): string[] {
  const above = names.flatMap((name) => name.split('/').slice(0, -1).map((_level, depth, levels) => levels.slice(0, depth + 1).join('/')));
  return [...new Set(above)].filter((name) => name !== 'Other Users' && !names.includes(name)).toSorted();
}
