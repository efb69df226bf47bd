/** URLs by which users let others read a message or a part of it (RFC 4467, RFC 5524): who may, for how long, and what a forged one gets. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { TestContext } from 'node:test';
import { Dialogue } from '../../harness/dialogue.ts';
import { messageAbout } from './conversation.ts';
import { deliver, mailboxOf, password, startServer } from './harness.ts';
import type { TestServer } from './harness.ts';

let server: TestServer;
const multipart = Buffer.from(
  'Subject: parts\r\nContent-Type: multipart/mixed; boundary=x\r\n\r\n--x\r\n\r\none\r\n--x\r\nContent-Type: text/plain\r\nContent-Transfer-Encoding: base64\r\n\r\nAAECdHdv\r\n--x--\r\n',
);

before(async () => {
  server = await startServer();
  const strange = Buffer.from('Subject: odd\r\nContent-Transfer-Encoding: x-odd\r\n\r\nodd');
  for (const bytes of [messageAbout('to be shared'), multipart, strange]) await deliver({ storage: server.storage, address: 'joe@example.com', mailbox: 'INBOX' }, bytes);
});
after(async () => server.stop());

async function logIn(t: TestContext, user: string): Promise<Dialogue> {
  const dialogue = await Dialogue.connect({ port: server.ports.tls, tls: 'implicit' });
  t.after(() => dialogue.close());
  dialogue.say(`l LOGIN ${user}@example.com "${password}"`);
  await dialogue.until(/^l OK .* URLAUTH /);
  return dialogue;
}

const url = (access: string, message = ';UID=1', user = 'joe%40example.com'): string => `imap://${user}@mail.example.com/INBOX/${message};URLAUTH=${access}`;

async function authorised(joe: Dialogue, rump: string): Promise<string> {
  joe.say(`g GENURLAUTH "${rump}" INTERNAL`);
  const [, full = ''] = await joe.expect(/^\* GENURLAUTH "(.*)"$/);
  await joe.expect(/^g OK/);
  assert.ok(full.startsWith(`${rump}:internal:01`) && /:[0-9a-f]{66}$/.test(full), full);
  return full;
}

/** What the reader gets: the bytes, or undefined for NIL. */
async function fetched(reader: Dialogue, full: string): Promise<string | undefined> {
  reader.say(`f URLFETCH "${full}"`);
  const [, size] = await reader.expect(/^\* URLFETCH ".*" (?:NIL|\{(\d+)\})$/);
  const bytes = size === undefined ? undefined : (await reader.bytes(Number(size))).toString('latin1');
  if (bytes !== undefined) await reader.expect(/^$/);
  await reader.expect(/^f OK/);
  return bytes;
}

test('Whoever a URL is meant for reads the message or part, in any state, and nobody else does.', { timeout: 60_000 }, async (t) => {
  const [joe, fred, eve] = [await logIn(t, 'joe'), await logIn(t, 'fred'), await logIn(t, 'eve')];
  const whole = messageAbout('to be shared').toString('latin1');
  for (const access of ['anonymous', 'authuser', 'AUTHUSER']) {
    const full = await authorised(joe, url(access));
    for (const reader of [joe, fred, eve]) assert.equal(await fetched(reader, full), whole, access);
  }
  const forFred = await authorised(joe, url('user+Fred%40example.com', ';UID=1/;SECTION=HEADER.FIELDS%20(Subject)'));
  eve.say('s SELECT INBOX');
  await eve.until(/^s OK/);
  assert.deepEqual([await fetched(fred, forFred), await fetched(eve, forFred), await fetched(joe, forFred)], ['Subject: to be shared\r\n\r\n', undefined, undefined]);
  const partial = await authorised(joe, url('user+eve%40example.com', ';UID=1/;SECTION=TEXT/;PARTIAL=5.2'));
  assert.equal(await fetched(eve, partial), 'of');
  const submitted = await authorised(joe, url('submit+fred%40example.com'));
  for (const reader of [joe, fred, eve]) assert.equal(await fetched(reader, submitted), undefined, 'by IMAP nobody submits');
  const found = server.storage.find('joe@example.com');
  assert.ok(found.at === 'live');
  assert.equal(mailboxOf(found.account, 'INBOX').row(1)?.flags, 0, 'it is not marked as seen');
});

test('Nothing that was changed, is over, was taken back or names another message is good for anything; no URL makes an account.', { timeout: 60_000 }, async (t) => {
  const [joe, eve] = [await logIn(t, 'joe'), await logIn(t, 'eve')];
  const full = await authorised(joe, url('anonymous'));
  const expiring = await authorised(joe, url('anonymous', ';UID=1;EXPIRE=2999-12-31T23:59:59Z'));
  assert.notEqual(await fetched(eve, expiring), undefined);
  const over = await authorised(joe, url('anonymous', ';UID=1;EXPIRE=2020-12-31T23:59:59+01:00'));
  const fresh = await authorised(joe, url('anonymous', ';UID=9'));
  const token = full.slice(full.lastIndexOf(':') + 1);
  for (const bad of [
    over, fresh, full.slice(0, -2), `${full}00`, full.replace(/.$/, (last) => (last === '0' ? '1' : '0')), full.replace(';UID=1', ';UID=2'), full.replace('anonymous', 'authuser'), full.replace('internal:01', 'internal:02'),
    full.replace('mail.example.com', 'other.example.com'), full.replace('joe%40', 'eve%40'), full.replace('joe%40', 'nobody%40'), full.replace('INBOX', 'Sent'), full.replace('INBOX', 'Nowhere'), full.replace(';UID', ';UIDVALIDITY=1/;UID'),
    expiring.replace('2999', '2998'), expiring.replace(';EXPIRE=2999-12-31T23:59:59Z', ''), full.replace('internal', 'xsample'), url('anonymous'), `/INBOX/;UID=1;URLAUTH=anonymous:internal:${token}`, 'imap://joe%40example.com@mail.example.com/INBOX', 'nonsense',
  ]) assert.equal(await fetched(eve, bad), undefined, bad);
  assert.equal(server.storage.find('nobody@example.com').at, 'none');
  assert.notEqual(await fetched(eve, full), undefined);
  const ofSent = await authorised(joe, url('anonymous').replace('INBOX', 'Sent'));
  joe.say('r RESETKEY INBOX INTERNAL');
  await joe.expect(/^r OK \[URLMECH INTERNAL\]/);
  assert.equal(await fetched(eve, full), undefined, 'taken back');
  const again = await authorised(joe, url('anonymous'));
  assert.notEqual(again, full);
  assert.notEqual(await fetched(eve, again), undefined);
  joe.say('r RESETKEY');
  await joe.expect(/^r OK/);
  assert.deepEqual([await fetched(eve, again), await authorised(joe, url('anonymous').replace('INBOX', 'Sent')) === ofSent], [undefined, false]);
});

test('Only URLs of the user\'s own messages are authorised, with all that is due, and several at once.', async (t) => {
  const joe = await logIn(t, 'joe');
  for (const wrong of [
    `"${url('anonymous', ';UID=1', 'eve%40example.com')}" INTERNAL`, `"${url('anonymous').replace('joe%40example.com@', '')}" INTERNAL`, `"${url('anonymous')}" XSAMPLE`, `"${url('everybody')}" INTERNAL`,
    '"imap://joe%40example.com@h/INBOX/;UID=1" INTERNAL', '"/INBOX/;UID=1;URLAUTH=anonymous" INTERNAL', `"${url('anonymous').replace('INBOX', 'Nowhere')}" INTERNAL`, `"${url('anonymous', ';UIDVALIDITY=1/;UID=1').replace('/;UIDV', ';UIDV')}" INTERNAL`,
    `"${url('anonymous')}"`, '',
  ]) {
    joe.say(`b GENURLAUTH ${wrong}`);
    await joe.expect(/^b BAD/);
    joe.say('n NOOP');
    await joe.expect(/^n OK/);
  }
  joe.say('r RESETKEY INBOX XSAMPLE');
  await joe.expect(/^r BAD/);
  joe.say('r RESETKEY Nowhere');
  await joe.expect(/^r NO/);
  joe.say(`m GENURLAUTH "${url('anonymous')}" INTERNAL "${url('authuser')}" internal`);
  await joe.expect(/^\* GENURLAUTH "\S+" "\S+"$/);
  await joe.expect(/^m OK/);
});

test('Items of a URL are told as they are asked for: bytes as they stand, decoded, and the structure of the part.', async (t) => {
  const [joe, eve] = [await logIn(t, 'joe'), await logIn(t, 'eve')];
  const part = await authorised(joe, url('anonymous', ';UID=2/;SECTION=2'));
  eve.say(`a URLFETCH ("${part}" BODYPARTSTRUCTURE BINARY) ("${part}" BODY) ("${part}")`);
  await eve.expect(/^\* URLFETCH "\S+" \(BODYPARTSTRUCTURE \("text" "plain" .* "base64" 8 .*\)\) \(BINARY ~\{6\}$/i);
  assert.equal((await eve.bytes(6)).toString('latin1'), '\0\x01\x02two');
  await eve.expect(/^\)$/);
  await eve.expect(/^\* URLFETCH "\S+" \(BODY \{8\}$/);
  assert.equal((await eve.bytes(8)).toString('latin1'), 'AAECdHdv');
  await eve.expect(/^\)$/);
  await eve.expect(/^\* URLFETCH "\S+"$/);
  await eve.expect(/^a OK/);
  const header = await authorised(joe, url('anonymous', ';UID=2/;SECTION=HEADER'));
  eve.say(`b URLFETCH ("${header}" BINARY)`);
  await eve.expect(/^\* URLFETCH "\S+" NIL$/);
  await eve.expect(/^b OK/);
  const strange = await authorised(joe, url('anonymous', ';UID=3/;SECTION=1'));
  eve.say(`d URLFETCH ("${strange}" BINARY) ("${strange}" BODY)`);
  await eve.expect(/^\* URLFETCH "\S+" NIL$/);
  await eve.expect(/^\* URLFETCH "\S+" \(BODY \{3\}$/);
  assert.equal((await eve.bytes(3)).toString('latin1'), 'odd');
  await eve.expect(/^\)$/);
  await eve.expect(/^d OK/);
  for (const wrong of [`("${part}" BODY BINARY)`, `("${part}" FLAGS)`, `("${part}" BODY`, '()']) {
    eve.say(`c URLFETCH ${wrong}`);
    await eve.expect(/^c BAD/);
  }
});
