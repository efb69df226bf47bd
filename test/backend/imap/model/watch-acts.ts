/** Acts by which clients ask to be told: NOTIFY, results that are kept up to date; and the quota, which an administrator sets and clients look at. */
import assert from 'node:assert/strict';
import type { Act } from './acts.ts';
import { nameOf } from './acts.ts';
import { onlyKeywords } from './message-acts.ts';
import type { Player } from './player.ts';
import { SharedWatch } from './shared-watch-model.ts';
import type { SharedWishes } from './shared-watch-model.ts';
import type { Stage } from './stage.ts';
import { onlyTheOpenOne, Watch } from './watch-model.ts';
import type { Wishes } from './watch-model.ts';

const all = (): boolean => true;
const none = (): boolean => false;
const isOf = (...names: readonly string[]) => (name: string): boolean => names.includes(name);
const isBelow = (top: string) => (name: string): boolean => name === top || name.startsWith(`${top}/`);

const wishes: readonly Wishes[] = [
  { text: 'STATUS (selected (MessageNew MessageExpunge FlagChange)) (personal (MessageNew MessageExpunge FlagChange MailboxName SubscriptionChange))', status: 'asked', selected: 'at once', messages: all, flags: all, names: all, subscriptions: 'told' },
  { text: '(selected (MessageNew MessageExpunge FlagChange)) (personal (MessageNew MessageExpunge SubscriptionChange))', status: 'not asked', selected: 'at once', messages: all, flags: none, names: none, subscriptions: 'told' },
  { text: 'STATUS (selected-delayed (MessageNew MessageExpunge FlagChange)) (mailboxes (A D) (MessageNew MessageExpunge FlagChange))', status: 'asked', selected: 'delayed', messages: isOf('A', 'D'), flags: isOf('A', 'D'), names: none, subscriptions: 'not told' },
  { text: '(subtree A (MailboxName MessageNew MessageExpunge)) (selected-delayed (MessageNew MessageExpunge FlagChange)) (inboxes (MessageNew MessageExpunge FlagChange))', status: 'not asked', selected: 'delayed', messages: (name) => name === 'INBOX' || isBelow('A')(name), flags: isOf('INBOX'), names: isBelow('A'), subscriptions: 'not told' },
  onlyTheOpenOne,
];

/** Of folders of the owner's, for guests: `$` is the level that has them all. */
const sharedWishes: readonly (Omit<SharedWishes, 'status'> & { readonly text: string })[] = [
  { text: '(subtree "$" (MessageNew MessageExpunge FlagChange MailboxName MailboxMetadataChange))', messages: all, flags: all, names: all, annotations: all },
  { text: '(mailboxes ("$/INBOX" "$/A" "$/D") (MessageNew MessageExpunge))', messages: isOf('INBOX', 'A', 'D'), flags: none, names: none, annotations: none },
  { text: '(subtree "$/A" (MailboxName MessageNew MessageExpunge)) (mailboxes ("$/INBOX" "$/B") (MessageNew MessageExpunge FlagChange))', messages: (name) => isBelow('A')(name) || isOf('INBOX', 'B')(name), flags: isOf('INBOX', 'B'), names: isBelow('A'), annotations: none },
  { text: '(subtree "$" (MailboxName))', messages: none, flags: none, names: all, annotations: none },
  { text: '(subtree "$" (MessageNew MessageExpunge)) (mailboxes ("$/A" "$/INBOX") (MailboxMetadataChange))', messages: all, flags: none, names: none, annotations: isOf('A', 'INBOX') },
];

export async function notify(stage: Stage, player: Player, act: Act): Promise<void> {
  const { model } = player;
  const wanted = wishes[act.a % wishes.length] ?? assert.fail();
  const watch = new Watch(wanted, player.own);
  const shared = player.home === 'owner' ? undefined : sharedWishes[act.b % sharedWishes.length];
  const sharedWatch = shared === undefined ? undefined : new SharedWatch({ ...shared, status: wanted.status }, stage.account, player.own);
  const expected = new Map([...watch.firstStatus(model.looking), ...(sharedWatch?.firstStatus(model.looking) ?? [])]);
  const more = shared === undefined ? '' : ` ${shared.text.replaceAll('$', `Other Users/${stage.account.address}`)}`;
  const { others: answered } = await stage.run(player, { text: `NOTIFY SET ${wanted.text}${more}`, status: 'OK', then: () => {
    model.watch = watch;
    model.sharedWatch = undefined;
  } });
  model.sharedWatch = sharedWatch;
  const closed = answered.filter((one) => one.kind === 'list');
  assert.deepEqual(closed.map(({ name, attributes }) => [name, attributes]).toSorted(), sharedWatch?.firstClosed ?? []);
  const others = answered.filter(({ kind }) => kind !== 'list');
  const told = others.flatMap((one) => (one.kind === 'status' ? [one] : []));
  onlyKeywords(others.filter((one) => one.kind !== 'status'));
  assert.deepEqual(Object.fromEntries(told.map(({ name, items }) => [name, Object.fromEntries(items)])), Object.fromEntries(expected));
  assert.equal(told.length, expected.size);
}

/** Another session begins, without whatever the one before had asked for. */
export async function logOut(player: Player): Promise<void> {
  assert.equal((await player.ask('LOGOUT')).status, 'BYE');
  player.model.leave();
  await player.enter();
}

/** An administrator changes what the account may hold. */
export async function limit(stage: Stage, act: Act): Promise<void> {
  const { bytes, messages } = stage.account.use;
  const limits = [{}, {}, {}, {}, { messages: Math.max(1, messages - 1 + (act.b % 6)) }, { bytes: Math.max(1, bytes - 200 + 100 * (act.b % 20)) }, { messages: messages + 3, bytes: bytes + 900 }][act.a % 7] ?? {};
  await stage.setLimits(limits);
}

/** RFC 9208 section 4.1.2; STORAGE counts in 1024 octets. */
export async function quota(stage: Stage, player: Player, act: Act): Promise<void> {
  const { use, limits } = stage.account;
  const resources = [
    ...(limits.bytes === undefined ? [] : [`STORAGE ${String(Math.ceil(use.bytes / 1024))} ${String(Math.floor(limits.bytes / 1024))}`]),
    ...(limits.messages === undefined ? [] : [`MESSAGE ${String(use.messages)} ${String(limits.messages)}`]),
  ];
  const isLimited = resources.length > 0;
  const { others } = await stage.run(player, { text: `GETQUOTAROOT ${nameOf(act.a)}`, status: 'OK' });
  const told = others.flatMap((one) => (one.kind === 'quota' || one.kind === 'quota root' ? [one.text] : []));
  onlyKeywords(others.filter(({ kind }) => kind !== 'quota' && kind !== 'quota root'));
  assert.deepEqual(told, [`${nameOf(act.a)}${isLimited ? ' ""' : ''}`, ...(isLimited ? [`"" (${resources.join(' ')})`] : [])]);
}
