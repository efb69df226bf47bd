/** LIST with its selection and return options (RFC 5258, 5819, 6154, 8440, 9590), LSUB, SUBSCRIBE and UNSUBSCRIBE. */
import assert from 'node:assert/strict';
import { otherThanInbox } from './acts.ts';
import type { Act } from './acts.ts';
import { listed, subscribed } from './list-model.ts';
import type { Asked, Seen, Told } from './list-model.ts';
import { expectKeywords, onlyKeywords } from './message-acts.ts';
import type { Player } from './player.ts';
import type { Response } from './responses.ts';
import { allRights, rightsOf, written } from './rights-model.ts';
import type { Spot } from './rights-model.ts';
import type { Stage } from './stage.ts';

const selections = [[], [], ['SUBSCRIBED'], ['SPECIAL-USE'], ['SUBSCRIBED', 'RECURSIVEMATCH'], ['SUBSCRIBED', 'RECURSIVEMATCH'], ['SPECIAL-USE', 'RECURSIVEMATCH'], ['REMOTE', 'SUBSCRIBED'], ['SPECIAL-USE', 'SUBSCRIBED']] as const;
const additions = [[], ['METADATA'], ['CHILDREN'], ['SUBSCRIBED'], ['SPECIAL-USE', 'SUBSCRIBED'], ['MYRIGHTS'], ['STATUS'], ['METADATA'], ['METADATA', 'STATUS', 'MYRIGHTS', 'CHILDREN']] as const;
const ownPatterns = [['*'], ['*'], ['%'], ['A'], ['A', 'A/%'], ['A*', 'D'], ['%/%'], ['INBOX', 'S%'], ['*a*'], ['%', '%/C']] as const;
const ofOthers = ['Other Users/*', 'Other Users/%', 'Other Users/%/%', 'Other Users/%/A*', '*/INBOX', 'O%'] as const;
const entries = ['/private/comment', '/shared/comment'] as const;

/** All that the user may see. Of what is on another node his own node may know something older: such are not asked for here. */
function seenBy(stage: Stage, { own, address, home }: Player): Seen[] {
  const mine = [...own.mailboxes.values()].map((mailbox): Seen => ({ name: mailbox.name, mailbox, whose: 'own', rights: allRights }));
  if (home !== 'on the node of the owner') return mine;
  const others = [...stage.account.mailboxes.values()].map((mailbox): Seen => ({ name: `Other Users/${stage.account.address}/${mailbox.name}`, mailbox, whose: 'others', rights: rightsOf(mailbox, address) }));
  return [...mine, ...others.filter(({ rights }) => rights.includes('l'))];
}

/** Several, each in another way: they cost little, and there are many ways. */
export async function list(stage: Stage, player: Player, act: Act): Promise<void> {
  for (const factor of [1, 7, 23]) await listOnce(stage, player, { ...act, a: act.a * factor + factor, b: act.b * factor, c: act.c * factor + 1 });
}

async function listOnce(stage: Stage, player: Player, act: Act): Promise<void> {
  // What begins with a wildcard means what others share as well.
  const own = (ownPatterns[act.b % ownPatterns.length] ?? ['*']).map((pattern) => (player.home === 'on another node' ? pattern.replace(/^[*%]/, 'A$&') : pattern));
  const patterns = [...own, ...(player.home === 'on the node of the owner' ? [ofOthers[act.b % ofOthers.length] ?? '*'] : [])];
  const select = selections[act.a % selections.length] ?? [];
  const returns = additions[act.c % additions.length] ?? [];
  const syntax = select.length + returns.length > 0 || patterns.length > 1 ? 'extended' : 'basic';
  if (act.a % 10 === 9) return listSubscribed(stage, player, patterns[0] ?? '*');
  const said = patterns.map((pattern) => `"${pattern}"`).join(' ');
  const asked: Asked = { select, returns, patterns, syntax };
  const expected = listed(seenBy(stage, player), player.own, asked);
  const { others } = await stage.run(player, {
    text: `LIST ${select.length === 0 ? '' : `(${select.join(' ')}) `}"" ${patterns.length > 1 ? `(${said})` : said}${returns.length === 0 ? '' : ` RETURN (${returns.map(spelled).join(' ')})`}`, status: 'OK',
    then: () => {
      if (returns.some((one) => one === 'STATUS') && expected.some(({ seen, isSelected }) => isSelected && seen?.rights.includes('r') === true)) player.model.enableCondstore();
    },
  });
  checkListed(others, expected, asked);
}

function spelled(option: string): string {
  return option === 'STATUS' ? 'STATUS (MESSAGES UNSEEN HIGHESTMODSEQ MAILBOXID)' : option === 'METADATA' ? `METADATA (${entries.join(' ')})` : option;
}

function checkListed(others: readonly Response[], expected: readonly Told[], { returns }: Asked): void {
  const told = others.flatMap((one) => (one.kind === 'list' ? [[one.name, { attributes: one.attributes.toSorted(), childInfo: one.childInfo }] as const] : []));
  assert.equal(told.length, new Set(told.map(([name]) => name)).size, 'a name is told once');
  assert.deepEqual(new Map(told), new Map(expected.map(({ name, attributes, childInfo }) => [name, { attributes, childInfo }])));
  const seen = expected.flatMap((one) => (one.seen === undefined || !one.isSelected ? [] : [one.seen]));
  const more = <T>(option: string, whose: (one: Seen) => boolean, what: (one: Seen) => T): Map<string, T> => new Map(returns.includes(option) ? seen.filter(whose).map((one) => [one.name, what(one)]) : []);
  assert.deepEqual(new Map(others.flatMap((one) => (one.kind === 'rights' ? [[one.name, one.words]] : []))), more('MYRIGHTS', () => true, ({ rights }) => [written(rights)]));
  assert.deepEqual(new Map(others.flatMap((one) => (one.kind === 'status' ? [[one.name, Object.fromEntries(one.items)]] : []))), more('STATUS', ({ rights }) => rights.includes('r'), statusOf));
  for (const { name, mailbox } of seen) for (const one of others) if (one.kind === 'status' && one.name === name) mailbox.home.identities.checkMailbox(mailbox, one.mailboxId);
  assert.deepEqual(new Map(others.flatMap((one) => (one.kind === 'metadata' ? [[one.name, Object.fromEntries(one.values ?? [])]] : []))), more('METADATA', ({ rights }) => /[rswip]/.test(rights), annotationsOf));
  onlyKeywords(others.filter(({ kind }) => !['list', 'rights', 'status', 'metadata'].includes(kind)));
}

function statusOf({ mailbox: { messages, highestModseq } }: Seen): Record<string, number> {
  return { MESSAGES: messages.length, UNSEEN: messages.filter(({ flags }) => !flags.has('\\Seen')).length, HIGHESTMODSEQ: highestModseq };
}

/** Guests set none here; what is private is the owner's. */
function annotationsOf({ mailbox, whose }: Seen): Record<string, string | undefined> {
  const known = mailbox.home.annotations.at(mailbox);
  return Object.fromEntries(entries.map((entry) => [entry, whose === 'others' && entry.startsWith('/private/') ? undefined : known.get(entry)?.value]));
}

async function listSubscribed(stage: Stage, player: Player, pattern: string): Promise<void> {
  const { others } = await stage.run(player, { text: `LSUB "" "${pattern}"`, status: 'OK' });
  const told = others.flatMap((one) => (one.kind === 'lsub' ? [[one.name, one.attributes] as const] : []));
  onlyKeywords(others.filter(({ kind }) => kind !== 'lsub'));
  assert.deepEqual(told.toSorted(), subscribed(seenBy(stage, player), player.own, pattern).map(({ name, attributes }) => [name, attributes] as const).toSorted());
}

/** SUBSCRIBE, of what the user may see, or UNSUBSCRIBE, of whatever he names. */
export async function subscribe(stage: Stage, player: Player, act: Act): Promise<void> {
  const spot: Spot = stage.spot(player, player.home === 'on another node' ? 0 : otherThanInbox(act.a));
  const { subscriptions } = player.own;
  const name = spot.text.replaceAll('"', '');
  const ends = act.b % 3 === 0;
  const isKnown = spot.mailbox !== undefined && spot.rights.includes('l');
  const { code } = await expectKeywords(stage, player, {
    text: `${ends ? 'UNSUBSCRIBE' : 'SUBSCRIBE'} ${spot.text}`, status: ends || isKnown ? 'OK' : 'NO',
    then: () => {
      if (ends) subscriptions.delete(name);
      else if (isKnown) subscriptions.add(name);
    },
  });
  assert.equal(code, ends || isKnown ? undefined : 'NONEXISTENT');
}
