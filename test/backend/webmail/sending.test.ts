/** Writing: what is submitted, what is kept, what becomes of drafts and of the message that is answered. */
import { test } from 'node:test';
import assert from 'node:assert/strict';
import { scanMessage } from '../../../shared/mime/scan.ts';
import { Failure } from '../../../shared/base/failure.ts';
import type { Submit } from '../../../backend/webmail/webmail.ts';
import { plainMail } from '../../harness/hostile-mail.ts';
import { ApiUser, clusterFor, formBody } from './harness.ts';

const alice = 'alice@example.com';

/** A submission that remembers, or refuses. */
function submission(refusal?: Failure): { readonly submit: Submit; readonly taken: { readonly recipients: readonly string[]; readonly from: string; readonly text: string }[] } {
  const taken: { recipients: readonly string[]; from: string; text: string }[] = [];
  const submit: Submit = async ({ from, recipients }, source) => {
    if (refusal !== undefined) throw refusal;
    const pieces: Buffer[] = [];
    for await (const piece of source) pieces.push(piece);
    taken.push({ from, recipients, text: Buffer.concat(pieces).toString('latin1') });
    return `item-${String(taken.length)}`;
  };
  return { submit, taken };
}

test('recipients get the message without Bcc, the Sent folder keeps it with', async (t) => {
  const { submit, taken } = submission();
  const cluster = await clusterFor(t, { webmail: { submit } });
  const user = await ApiUser.signedIn(cluster.backends.be1.url, alice);
  const bytes = Buffer.from(Array.from({ length: 3000 }, (_, index) => index % 256));
  const form = await formBody({ to: 'Bob Ünlü <bob@example.com>; carol@example.com', bcc: 'secret@example.net, BOB@example.com', subject: 'Überraschung', text: 'a\n.\nb' }, [{ name: 'naïve.bin', bytes }]);
  const answer = await user.client.ask(`${user.url}/api/send`, { method: 'POST', ...form });
  assert.deepEqual([answer.status, answer.json], [200, { copy: 'kept' }]);
  const [mail] = taken;
  assert.equal(mail?.from, alice);
  assert.deepEqual(mail.recipients.map((each) => each.toLowerCase()), ['bob@example.com', 'carol@example.com', 'secret@example.net']);
  assert.doesNotMatch(mail.text, /secret/);
  assert.doesNotMatch(mail.text, /[^\r]\n/);
  const sent = await user.mailbox('sent');
  const view = await user.message(sent.id, 1);
  assert.deepEqual([view.subject, view.seen, view.to[0]?.name], ['Überraschung', true, 'Bob Ünlü']);
  assert.deepEqual(view.bcc.map(({ address }) => address), ['secret@example.net', 'BOB@example.com']);
  assert.equal(view.bodies[0]?.text.replace(/\r\n/g, '\n').trimEnd(), 'a\n.\nb');
  const part = await user.client.ask(`${user.url}/api/mailboxes/${String(sent.id)}/messages/1/parts/${view.attachments[0]?.part ?? ''}`);
  assert.ok(part.bytes.equals(bytes));
  assert.equal(view.attachments[0]?.name, 'naïve.bin');
});

test('an answer carries the thread, takes attachments along and marks what it answers', async (t) => {
  const { submit, taken } = submission();
  const cluster = await clusterFor(t, { webmail: { submit } });
  const lines = ['From: x@example.net', 'Subject: files', 'Message-ID: <second@example.net>', 'References: <first@example.net>', 'MIME-Version: 1.0', 'Content-Type: multipart/mixed; boundary=b', '', '--b', '', 'text', '--b', 'Content-Type: application/x-a; name=a.bin', 'Content-Transfer-Encoding: base64', 'Content-Disposition: attachment', '', 'AAEC/w==', '--b--', ''];
  await cluster.deliver(alice, Buffer.from(lines.join('\r\n')));
  const user = await ApiUser.signedIn(cluster.backends.be1.url, alice);
  const place = { mailbox: (await user.mailbox('inbox')).id, uid: 1 };
  await user.client.post(`${user.url}/api/send`, { to: 'x@example.net', subject: 'Re: files', text: 'thanks', answers: { ...place, as: 'reply' } });
  await user.client.post(`${user.url}/api/send`, { to: 'y@example.net', subject: 'Fwd: files', text: 'see', answers: { ...place, as: 'forward' }, keep: [{ ...place, part: '2' }] });
  const reply = scanMessage(Buffer.from(taken[0]?.text ?? '', 'latin1'));
  assert.equal(reply.envelope.inReplyTo, '<second@example.net>');
  assert.deepEqual(reply.references, ['<first@example.net>', '<second@example.net>']);
  assert.match(taken[1]?.text ?? '', /AAEC\/w==/);
  const [summary] = (await user.list(place.mailbox)).messages;
  assert.deepEqual([summary?.answered, summary?.forwarded], [true, true]);
});

test('a folder that has no room for one more keyword keeps nobody from forwarding what is in it', async (t) => {
  const { submit, taken } = submission();
  const cluster = await clusterFor(t, { webmail: { submit } });
  await cluster.deliver(alice, plainMail({ from: 'a@example.net', to: alice, subject: 'marked', text: 'x' }));
  const user = await ApiUser.signedIn(cluster.backends.be1.url, alice);
  const place = { mailbox: (await user.mailbox('inbox')).id, uid: 1 };
  const { storage } = cluster.backends.be1;
  await (await storage.createAccount(alice)).mailboxById(place.mailbox)?.changeFlags([1], { mode: 'add', flags: 0, keywords: Array.from({ length: 32 }, (_, index) => `k${String(index)}`) });
  const draft = (await user.client.post(`${user.url}/api/drafts`, { to: 'y@example.net', subject: 'Fwd: marked', text: 'see' })).json['draft'];
  const answer = await user.client.post(`${user.url}/api/send`, { to: 'y@example.net', subject: 'Fwd: marked', text: 'see', answers: { ...place, as: 'forward' }, draft });
  assert.deepEqual([answer.status, answer.json, taken.length], [200, { copy: 'kept' }, 1]);
  assert.deepEqual([(await user.mailbox('drafts')).messages, (await user.mailbox('sent')).messages], [0, 1]);
});

test('a refused submission keeps nothing and says why', async (t) => {
  const { submit } = submission(new Failure('unknown-user', 'There is no user nobody@example.com.'));
  const cluster = await clusterFor(t, { webmail: { submit } });
  const user = await ApiUser.signedIn(cluster.backends.be1.url, alice);
  const answer = await user.client.post(`${user.url}/api/send`, { to: 'nobody@example.com', subject: 's', text: 't' });
  assert.deepEqual([answer.status, answer.kind], [422, 'unknown-user']);
  assert.match(answer.bytes.toString(), /nobody@example\.com/);
  assert.equal((await user.mailbox('sent')).messages, 0);
});

test('a draft is kept as it is, replaced by the next, and gone once it is sent', async (t) => {
  const { submit } = submission();
  const cluster = await clusterFor(t, { webmail: { submit } });
  const user = await ApiUser.signedIn(cluster.backends.be1.url, alice);
  const save = async (body: object): Promise<{ mailbox: number; uid: number }> => (await user.client.post(`${user.url}/api/drafts`, body)).json['draft'] as { mailbox: number; uid: number };
  const first = await save({ to: 'bob', subject: 'half', text: 'begun' });
  assert.deepEqual((await user.message(first.mailbox, first.uid)).to, [{ name: '', address: 'bob' }]);
  const second = await save({ to: 'bob@example.com', subject: 'whole', text: 'done', draft: first });
  assert.deepEqual((await user.list(second.mailbox)).messages.map(({ subject, draft, seen }) => [subject, draft, seen]), [['whole', true, true]]);
  await user.client.post(`${user.url}/api/send`, { to: 'bob@example.com', subject: 'whole', text: 'done', draft: second });
  assert.equal((await user.mailbox('drafts')).messages, 0);
  assert.equal((await user.mailbox('sent')).messages, 1);
});

test('only drafts can be replaced: a request can not delete other mail', async (t) => {
  const cluster = await clusterFor(t);
  await cluster.deliver(alice, plainMail({ from: 'a@example.net', to: alice, subject: 'precious', text: 'x' }));
  const user = await ApiUser.signedIn(cluster.backends.be1.url, alice);
  const inbox = await user.mailbox('inbox');
  await user.client.post(`${user.url}/api/drafts`, { to: '', subject: 'x', text: '', draft: { mailbox: inbox.id, uid: 1 } });
  assert.equal((await user.mailbox('inbox')).messages, 1);
});

test('too many recipients, too large attachments and header injection go nowhere', async (t) => {
  const { submit, taken } = submission();
  const cluster = await clusterFor(t, { webmail: { submit } });
  const user = await ApiUser.signedIn(cluster.backends.be1.url, alice);
  const send = async (body: object): Promise<string | undefined> => (await user.client.post(`${user.url}/api/send`, body)).kind;
  assert.equal(await send({ to: Array.from({ length: 101 }, (_, index) => `u${String(index)}@example.net`).join(',') }), 'limit');
  assert.equal(await send({ to: '' }), 'bad-input');
  assert.equal(await send({ to: 'a@example.net', unknown: 1 }), 'bad-input');
  const big = await formBody({ to: 'a@example.net' }, [{ name: 'big', bytes: Buffer.alloc(26_000_000) }]);
  assert.equal((await user.client.ask(`${user.url}/api/send`, { method: 'POST', ...big })).kind, 'message-too-big');
  assert.equal(taken.length, 0);
  assert.equal(await send({ to: 'a@example.net', subject: 'x\r\nX-Injected: yes\r\n\r\nbody', text: 't' }), undefined);
  const scanned = taken[0]?.text.split('\r\n\r\n')[0] ?? '';
  assert.doesNotMatch(scanned, /^X-Injected/m);
});

test('memory for messages being written is bounded: one more is told to come again, and gets its turn', async (t) => {
  const { submit } = submission();
  const limits = { maxHeaderBytes: 16_384, requestTimeoutMs: 10_000, idleTimeoutMs: 10_000, maxBodyBytes: 400_000, maxUploadBytes: 400_000, maxMessageBytes: 1_000_000, maxRecipients: 10, loginFailureDelayMs: 0 };
  const cluster = await clusterFor(t, { webmail: { limits, submit: async (...given) => new Promise((resolve) => setTimeout(resolve, 300)).then(async () => submit(...given)) } });
  const user = await ApiUser.signedIn(cluster.backends.be1.url, alice);
  const form = await formBody({ to: 'a@example.net', subject: 's' }, [{ name: 'big', bytes: Buffer.alloc(300_000) }]);
  const send = async (): Promise<number> => (await user.client.ask(`${user.url}/api/send`, { method: 'POST', ...form }).catch(() => ({ status: 429 }))).status;
  const statuses = await Promise.all(Array.from({ length: 6 }, send));
  assert.deepEqual([...new Set(statuses)].sort(), [200, 429], statuses.join(' '));
  assert.equal(await send(), 200);
});
