/** GENURLAUTH, URLFETCH and RESETKEY (RFC 4467, RFC 5524): what the owner authorises others read by its URL, until the key of the mailbox is reset. */
import assert from 'node:assert/strict';
import { nameOf } from './acts.ts';
import type { Act } from './acts.ts';
import type { Letter } from './letters.ts';
import { create, remove, rename } from './mailbox-acts.ts';
import { findMessage } from './mailbox-model.ts';
import { append, expectKeywords, onlyKeywords } from './message-acts.ts';
import type { Player } from './player.ts';
import type { Stage } from './stage.ts';
import type { Authorised, Section } from './url-model.ts';

const sections: readonly Section[] = [
  { text: '', of: ({ text }) => text },
  { text: '/;SECTION=HEADER', of: ({ head }) => head },
  { text: '/;SECTION=TEXT', of: ({ coded }) => coded },
  { text: '/;SECTION=TEXT/;PARTIAL=2.5', of: ({ coded }) => coded.slice(2, 7) },
];

/** All are read but where one is authorised, which only the owner does. */
export async function useUrls(stage: Stage, player: Player, act: Act): Promise<void> {
  const isOwner = player.own === stage.account;
  if (isOwner && act.a % 4 === 0) await resetKey(stage, player, act);
  else if (isOwner && act.a % 8 === 2) await renew(stage, player, act);
  else if (isOwner && act.a % 2 === 1) return authorise(stage, player, act);
  await readAll(stage, player, act);
}

async function authorise(stage: Stage, player: Player, act: Act): Promise<void> {
  const { account, urls } = stage;
  const name = nameOf(act.b);
  const mailbox = account.mailbox(name);
  const section = sections[act.c % sections.length] ?? assert.fail();
  const uid = 1 + (act.c % (mailbox?.uidNext ?? 1));
  const uidValidity = act.b % 3 === 0 ? mailbox?.uidValidity ?? 1 : undefined;
  const someone = stage.identifiers[act.c % stage.identifiers.length] ?? 'anyone';
  const reader = act.b % 2 === 0 && someone !== 'anyone' ? someone : undefined;
  const access = reader !== undefined ? `user+${encodeURIComponent(reader)}` : act.c % 2 === 0 ? 'authuser' : 'anonymous';
  const due = ['', '', ';EXPIRE=2999-01-01T00:00:00Z', ';EXPIRE=2020-01-01T00:00:00Z'][act.a % 4] ?? '';
  const rump = `imap://${encodeURIComponent(account.address)}@mail.example.com/${name}${uidValidity === undefined ? '' : `;UIDVALIDITY=${String(uidValidity)}`}/;UID=${String(uid)}${section.text}${due};URLAUTH=${access}`;
  const { others } = await stage.run(player, { text: `GENURLAUTH "${rump}" INTERNAL`, status: mailbox === undefined ? 'BAD' : 'OK' });
  const told = others.flatMap((one) => (one.kind === 'authorised' ? [one.url] : []));
  onlyKeywords(others.filter(({ kind }) => kind !== 'authorised'));
  if (mailbox === undefined) return;
  assert.equal(told.length, 1);
  const [url = ''] = told;
  assert.ok(url.startsWith(`${rump}:internal:`), url);
  urls.all.push({ url, name, key: urls.keyOf(mailbox), uidValidity, uid, section, reader, isDue: !due.includes('2020') });
  if (urls.all.length > 12) urls.all.shift();
}

async function resetKey(stage: Stage, player: Player, act: Act): Promise<void> {
  const { account, urls } = stage;
  const name = act.b % 4 === 0 ? undefined : urls.all[act.c % Math.max(1, urls.all.length)]?.name ?? nameOf(act.c);
  const mailbox = name === undefined ? undefined : account.mailbox(name);
  const isThere = name === undefined || mailbox !== undefined;
  await expectKeywords(stage, player, {
    text: `RESETKEY${name === undefined ? '' : ` ${name} INTERNAL`}`, status: isThere ? 'OK' : 'NO',
    then: () => { urls.reset(mailbox === undefined ? (name === undefined ? account.mailboxes.values() : []) : [mailbox]); },
  });
}

/** All that were authorised, in one command; some are forged, of some the body is asked for by its name. */
async function readAll(stage: Stage, player: Player, act: Act): Promise<void> {
  const wanted = stage.urls.all.map((one, index) => {
    const isForged = (act.c + index) % 5 === 0;
    const url = isForged ? one.url.replace(/.$/, (digit) => (digit === '0' ? '1' : '0')) : one.url;
    const letter = isForged ? undefined : letterBy(stage, player, one);
    return { said: (act.b + index) % 3 === 0 ? `("${url}" BODY)` : `"${url}"`, told: { kind: 'url', url, text: letter === undefined ? undefined : one.section.of(letter) } };
  });
  if (wanted.length === 0) return;
  const { others } = await stage.run(player, { text: `URLFETCH ${wanted.map(({ said }) => said).join(' ')}`, status: 'OK' });
  onlyKeywords(others.filter(({ kind }) => kind !== 'url'));
  assert.deepEqual(others.filter(({ kind }) => kind === 'url'), wanted.map(({ told }) => told));
}

/** What the URL leads this reader to. */
function letterBy({ account, urls }: Stage, { address }: Player, { name, key, uidValidity, uid, reader, isDue }: Authorised): Letter | undefined {
  const mailbox = account.mailbox(name);
  const may = isDue && (reader === undefined || reader === address);
  const isSame = mailbox !== undefined && urls.keyOf(mailbox) === key && mailbox.uidValidity === (uidValidity ?? mailbox.uidValidity);
  return may && isSame ? findMessage(mailbox, uid)?.letter : undefined;
}

/** Numbers of acts that name one of the mailboxes: to make or rename it, to authorise a URL with its UIDVALIDITY, to do anything else. */
const renewable = [{ name: 'B', made: 2, authorised: 21, used: 5 }, { name: 'D', made: 9, authorised: 15, used: 7 }] as const;

/** A mailbox takes the name of one that is gone, and its own again: its URLs count under the same key, but not those with its old UIDVALIDITY. */
async function renew(stage: Stage, player: Player, act: Act): Promise<void> {
  const [one, spare] = act.b % 2 === 0 ? renewable : renewable.toReversed();
  if (one === undefined || spare === undefined || stage.account.mailbox(one.name) === undefined || stage.account.mailbox(spare.name) !== undefined) return;
  await append(stage, player, { ...act, a: one.used });
  const uid = stage.account.mailbox(one.name)?.messages.at(-1)?.uid ?? 1;
  await authorise(stage, player, { ...act, a: 1, b: one.authorised, c: uid - 1 });
  await create(stage, player, { ...act, a: spare.made, c: 0 });
  await remove(stage, player, { ...act, a: spare.used });
  await rename(stage, player, { ...act, a: one.made, b: spare.made });
  await rename(stage, player, { ...act, a: spare.made, b: one.made });
}
