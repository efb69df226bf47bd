/** GENURLAUTH, URLFETCH and RESETKEY (RFC 4467, RFC 5524): what the owner authorises others read by its URL, until the key of the mailbox is reset. */
import assert from 'node:assert/strict';
import { nameOf } from './acts.ts';
import type { Act } from './acts.ts';
import { findMessage } from './mailbox-model.ts';
import { expectKeywords, onlyKeywords } from './message-acts.ts';
import type { Player } from './player.ts';
import type { Stage } from './stage.ts';
import type { Section } from './url-model.ts';

const sections: readonly Section[] = [
  { text: '', of: ({ text }) => text },
  { text: '/;SECTION=HEADER', of: ({ head }) => head },
  { text: '/;SECTION=TEXT', of: ({ coded }) => coded },
  { text: '/;SECTION=TEXT/;PARTIAL=2.5', of: ({ coded }) => coded.slice(2, 7) },
];

/** One of the three, the first two mostly by the owner. */
export async function useUrls(stage: Stage, player: Player, act: Act): Promise<void> {
  const isOwner = player.own === stage.account;
  if (isOwner && act.a % 6 === 0) return resetKey(stage, player, act);
  if (isOwner && (act.a % 2 === 1 || stage.urls.all.length === 0)) return authorise(stage, player, act);
  return read(stage, player, act);
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
  const name = act.b % 4 === 0 ? undefined : nameOf(act.c);
  const mailbox = name === undefined ? undefined : account.mailbox(name);
  const isThere = name === undefined || mailbox !== undefined;
  await expectKeywords(stage, player, {
    text: `RESETKEY${name === undefined ? '' : ` ${name} INTERNAL`}`, status: isThere ? 'OK' : 'NO',
    then: () => { urls.reset(mailbox === undefined ? (name === undefined ? account.mailboxes.values() : []) : [mailbox]); },
  });
}

async function read(stage: Stage, player: Player, act: Act): Promise<void> {
  const wanted = stage.urls.all[act.b % Math.max(1, stage.urls.all.length)];
  if (wanted === undefined) return;
  const isForged = act.c % 5 === 0;
  const url = isForged ? wanted.url.replace(/.$/, (digit) => (digit === '0' ? '1' : '0')) : wanted.url;
  const asksForBody = act.c % 3 === 0;
  const mailbox = stage.account.mailbox(wanted.name);
  const may = !isForged && wanted.isDue && (wanted.reader === undefined || wanted.reader === player.address) && player.home !== 'on another node';
  const isSame = mailbox !== undefined && stage.urls.keyOf(mailbox) === wanted.key && mailbox.uidValidity === (wanted.uidValidity ?? mailbox.uidValidity);
  const letter = may && isSame ? findMessage(mailbox, wanted.uid)?.letter : undefined;
  const { others } = await stage.run(player, { text: `URLFETCH ${asksForBody ? `("${url}" BODY)` : `"${url}"`}`, status: 'OK' });
  onlyKeywords(others.filter(({ kind }) => kind !== 'url'));
  assert.deepEqual(others.filter(({ kind }) => kind === 'url'), [{ kind: 'url', url, text: letter === undefined ? undefined : wanted.section.of(letter) }]);
}
