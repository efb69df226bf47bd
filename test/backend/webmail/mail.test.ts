/** The API over a real storage: lists, messages, parts, changes. */
import { test } from 'node:test';
import assert from 'node:assert/strict';
import { readRealMail, realMailNames } from '../../shared/mime/real-mail.ts';
import { plainMail } from '../../harness/hostile-mail.ts';
import { ApiUser, clusterFor } from './harness.ts';

const alice = 'alice@example.com';

test('every real message is listed and opened, and its source comes back byte for byte', { timeout: 60_000 }, async (t) => {
  const cluster = await clusterFor(t);
  const mails = realMailNames.map((name) => ({ name, bytes: readRealMail(name) }));
  for (const { bytes } of mails) await cluster.deliver(alice, bytes);
  const user = await ApiUser.signedIn(cluster.backends.be1.url, alice);
  const inbox = await user.mailbox('inbox');
  const page = await user.list(inbox.id, 'limit=200');
  assert.deepEqual(page.messages.map(({ uid }) => uid), mails.map((_, index) => mails.length - index));
  for (const [index, { name, bytes }] of mails.entries()) {
    const uid = index + 1;
    const view = await user.message(inbox.id, uid);
    assert.ok(view.bodies.every(({ text }) => typeof text === 'string'), name);
    const base = `${user.url}/api/mailboxes/${String(inbox.id)}/messages/${String(uid)}`;
    assert.ok((await user.client.ask(`${base}/source`)).bytes.equals(bytes), name);
    for (const { part } of view.attachments) assert.equal((await user.client.ask(`${base}/parts/${part}`)).status, 200, `${name} ${part}`);
  }
});

test('pages follow each other without gaps, and a search finds words in subjects and people', async (t) => {
  const cluster = await clusterFor(t);
  for (let index = 1; index <= 25; index += 1) await cluster.deliver(alice, plainMail({ from: `Person ${String(index)} <p${String(index)}@example.net>`, to: alice, subject: `Number ${String(index)} Überraschung`, text: 'words' }));
  const user = await ApiUser.signedIn(cluster.backends.be1.url, alice);
  const { id } = await user.mailbox('inbox');
  const first = await user.list(id, 'limit=10');
  const second = await user.list(id, `limit=10&before=${String(first.messages.at(-1)?.uid)}`);
  const third = await user.list(id, `limit=10&before=${String(second.messages.at(-1)?.uid)}`);
  assert.deepEqual([first.more, second.more, third.more], [true, true, false]);
  assert.deepEqual([...first.messages, ...second.messages, ...third.messages].map(({ uid }) => uid), Array.from({ length: 25 }, (_, index) => 25 - index));
  const found = await user.list(id, `search=${encodeURIComponent('ÜBERRASCHUNG p7@')}`);
  assert.deepEqual(found.messages.map(({ subject }) => subject), ['Number 7 Überraschung']);
  const some = await user.list(id, 'search=number&limit=20');
  assert.deepEqual([some.messages.length, some.more], [20, true]);
});

test('attachments are downloads that no browser shows as a page', async (t) => {
  const cluster = await clusterFor(t);
  const lines = ['Subject: page', 'MIME-Version: 1.0', 'Content-Type: multipart/mixed; boundary=b', '', '--b', '', 'text', '--b', 'Content-Type: text/html', "Content-Disposition: attachment; filename*=utf-8''b%C3%B6se%0D%0A%2F%22.html", '', '<script>1</script>', '--b--', ''];
  await cluster.deliver(alice, Buffer.from(lines.join('\r\n')));
  const user = await ApiUser.signedIn(cluster.backends.be1.url, alice);
  const { id } = await user.mailbox('inbox');
  const [attachment] = (await user.message(id, 1)).attachments;
  assert.deepEqual([attachment?.part, attachment?.name], ['2', 'böse_".html']);
  const { headers, bytes } = await user.client.ask(`${user.url}/api/mailboxes/${String(id)}/messages/1/parts/2`);
  assert.equal(bytes.toString(), '<script>1</script>');
  assert.equal(headers['content-type'], 'application/octet-stream');
  assert.equal(headers['content-disposition'], `attachment; filename="b_se__.html"; filename*=UTF-8''b%C3%B6se_%22.html`);
  assert.equal(headers['x-content-type-options'], 'nosniff');
  assert.equal(headers['content-security-policy'], "default-src 'none'; sandbox");
});

test('flags, moving and deleting: to Trash first, from Trash for good', async (t) => {
  const cluster = await clusterFor(t);
  for (const subject of ['one', 'two']) await cluster.deliver(alice, plainMail({ from: 'a@example.net', to: alice, subject, text: 'x' }));
  const user = await ApiUser.signedIn(cluster.backends.be1.url, alice);
  const [inbox, trash, junk] = [await user.mailbox('inbox'), await user.mailbox('trash'), await user.mailbox('junk')];
  const change = async (mailbox: number, what: string, body: object): Promise<number> => (await user.client.post(`${user.url}/api/mailboxes/${String(mailbox)}/${what}`, body)).status;
  assert.equal(inbox.unseen, 2);
  assert.equal(await change(inbox.id, 'flags', { uids: [1], add: ['seen', 'flagged'], remove: [] }), 200);
  assert.deepEqual((await user.list(inbox.id)).messages.map(({ seen, flagged }) => [seen, flagged]), [[false, false], [true, true]]);
  assert.equal((await user.mailbox('inbox')).unseen, 1);
  assert.equal(await change(inbox.id, 'move', { uids: [2], to: junk.id }), 200);
  assert.equal(await change(inbox.id, 'delete', { uids: [1] }), 200);
  assert.deepEqual([(await user.list(inbox.id)).messages.length, (await user.list(junk.id)).messages.length, (await user.list(trash.id)).messages.length], [0, 1, 1]);
  assert.equal(await change(trash.id, 'delete', { uids: [1] }), 200);
  assert.equal((await user.list(trash.id)).messages.length, 0);
});

test('what is not there, not understood or too big is refused in its own words', async (t) => {
  const cluster = await clusterFor(t);
  const user = await ApiUser.signedIn(cluster.backends.be1.url, alice);
  const { id } = await user.mailbox('inbox');
  const ask = async (path: string): Promise<unknown> => (await user.client.ask(user.url + path)).kind;
  assert.equal(await ask(`/api/mailboxes/${String(id)}/messages/99`), 'message-missing');
  assert.equal(await ask('/api/mailboxes/99/messages'), 'mailbox-missing');
  assert.equal(await ask('/api/mailboxes/x/messages'), 'no-such-thing');
  assert.equal(await ask('/api/nothing'), 'no-such-thing');
  assert.equal(await ask('/api/send'), 'method-not-allowed');
  assert.equal(await ask('/../../etc/passwd'), 'no-such-thing');
  const flags = `${user.url}/api/mailboxes/${String(id)}/flags`;
  assert.equal((await user.client.post(flags, { uids: 'all' })).kind, 'bad-input');
  assert.equal((await user.client.ask(flags, { method: 'POST', headers: { 'content-type': 'application/json' }, body: '{' })).kind, 'bad-input');
  assert.equal((await user.client.ask(flags, { method: 'POST', headers: { 'content-type': 'text/plain' }, body: '{}' })).status, 415);
  assert.equal((await user.client.post(flags, { uids: [1], junk: 'x'.repeat(300_000) })).status, 413);
  assert.equal((await user.client.ask(`${user.url}/`, { headers: { 'x-long': 'x'.repeat(20_000) } })).status, 431);
});

test('every answer carries the headers that keep the page to itself', async (t) => {
  const cluster = await clusterFor(t);
  for (const path of ['/', '/api/session', '/nothing']) {
    const { headers } = await new ApiUser(cluster.urls[0]).client.ask(cluster.urls[0] + path);
    assert.match(String(headers['content-security-policy']), /default-src 'none'; script-src 'self';.*frame-ancestors 'none'.*require-trusted-types-for 'script'/, path);
    assert.match(headers['strict-transport-security'] ?? '', /max-age=/);
    assert.deepEqual([headers['x-content-type-options'], headers['referrer-policy']], ['nosniff', 'no-referrer']);
  }
});
