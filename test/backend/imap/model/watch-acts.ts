/** Acts by which clients ask to be told: NOTIFY, results that are kept up to date; and the quota, which an administrator sets and clients look at. */
import assert from 'node:assert/strict';
import type { Act } from './acts.ts';
import { nameOf } from './acts.ts';
import { onlyKeywords } from './message-acts.ts';
import type { Player } from './player.ts';
import type { Stage } from './stage.ts';
import { Watch } from './watch-model.ts';
import type { Wishes } from './watch-model.ts';

const all = (): boolean => true;
const none = (): boolean => false;
const isOf = (...names: readonly string[]) => (name: string): boolean => names.includes(name);
const isBelow = (top: string) => (name: string): boolean => name === top || name.startsWith(`${top}/`);

const wishes: readonly Wishes[] = [
  { text: 'STATUS (selected (MessageNew MessageExpunge FlagChange)) (personal (MessageNew MessageExpunge FlagChange MailboxName))', status: 'asked', selected: 'at once', messages: all, flags: all, names: all },
  { text: '(selected (MessageNew MessageExpunge FlagChange)) (personal (MessageNew MessageExpunge))', status: 'not asked', selected: 'at once', messages: all, flags: none, names: none },
  { text: 'STATUS (selected-delayed (MessageNew MessageExpunge FlagChange)) (mailboxes (A D) (MessageNew MessageExpunge FlagChange))', status: 'asked', selected: 'delayed', messages: isOf('A', 'D'), flags: isOf('A', 'D'), names: none },
  { text: '(subtree A (MailboxName MessageNew MessageExpunge)) (selected-delayed (MessageNew MessageExpunge FlagChange)) (inboxes (MessageNew MessageExpunge FlagChange))', status: 'not asked', selected: 'delayed', messages: (name) => name === 'INBOX' || isBelow('A')(name), flags: isOf('INBOX'), names: isBelow('A') },
  { text: '(selected (MessageNew MessageExpunge FlagChange))', status: 'not asked', selected: 'at once', messages: none, flags: none, names: none },
];

export async function notify(stage: Stage, player: Player, act: Act): Promise<void> {
  const { model } = player;
  const wanted = wishes[act.a % wishes.length] ?? assert.fail();
  const watch = new Watch(wanted, player.own);
  const expected = watch.firstStatus(model.looking);
  const { others } = await stage.run(player, { text: `NOTIFY SET ${wanted.text}`, status: 'OK', then: () => { model.watch = watch; } });
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
