/** The protocol trace of one user, by every protocol at front-ends and back-ends. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import * as path from 'node:path';
import { test } from 'node:test';
import { auditOf } from '../harness/admin-api.ts';
import type { Cluster } from '../harness/cluster.ts';
import type { CommandRunner } from '../harness/command-runner.ts';
import { ImapSession } from '../harness/imap-session.ts';
import { newMessage } from '../harness/messages.ts';
import { Pop3Session } from '../harness/pop3-session.ts';
import { SmtpSession } from '../harness/smtp-session.ts';
import { WebClient } from '../harness/web-client.ts';


/** @param secret must never be in any trace */
export function protocolTraceSuite(cluster: () => Cluster, commands: () => CommandRunner, secret: string): void {
  async function traceProtocol(...words: string[]): Promise<string> {
    const { code, output, complaint } = await commands().run(['trace', 'protocol', ...words]);
    assert.equal(code, 0, complaint);
    return output;
  }

  /** Everything that a user may do, and what must never be told of it. */
  async function visitByAllProtocols(mark: string, text: string): Promise<readonly string[]> {
    const base64 = (plain: string): string => Buffer.from(plain).toString('base64');
    const response = base64(`\0dave\0${cluster().password}`);
    const imap = await ImapSession.connect(cluster(), 'fe1', { service: 'imap' });
    await imap.ok(`AUTHENTICATE PLAIN ${response}`);
    await imap.ok('SELECT INBOX');
    await imap.append('INBOX', newMessage({ text: `${text}\r\n` }).bytes);
    await imap.ok('FETCH 1:* (UID BODY[TEXT])');
    await imap.run(`LOGIN dave ${secret}`);
    await imap.run(`UNKNOWN ${mark}`);
    imap.dialogue.close();
    const wrong = await ImapSession.connect(cluster(), 'fe1');
    await wrong.run(`LOGIN dave ${secret}`);
    wrong.dialogue.close();
    const pop3 = await Pop3Session.logIn(cluster(), { node: 'fe1', user: 'dave', service: 'pop3' });
    await pop3.retrieve(1);
    pop3.close();
    const smtp = await SmtpSession.connect(cluster(), 'fe1', 'submission');
    await smtp.authenticate('dave', cluster().password, 'LOGIN');
    await smtp.send({ from: 'dave@example.com', to: ['dave@example.com'], bytes: newMessage({ text: `${text}\r\n` }).bytes });
    await smtp.say('QUIT');
    const web = new WebClient();
    const page = `https://127.0.0.1:${String(cluster().port('fe1', 'https'))}`;
    assert.equal((await web.post(`${page}/api/sign-in`, { name: 'dave', password: cluster().password })).status, 200);
    const cookie = web.cookie?.split('=')[1] ?? '';
    assert.equal((await web.ask(`${page}/api/mailboxes?search=${mark}`)).status, 200);
    return [response, base64(cluster().password), cookie];
  }

  test('a protocol trace has what one user\'s sessions say at front-ends and back-ends, without passwords, exchanges, cookies and texts, only while it is on', async () => {
    const text = `TracedText${String(process.pid)}`;
    await visitByAllProtocols('before', text);
    assert.match(await traceProtocol('dave@example.com', 'on', '--for', '5m', '--front-ends', 'all'), /^be2: sessions that begin from now on are traced until \S+\nfe2: .*; it is told when it answers\n$/);
    let shown = '';
    const never = new Set([text, secret, cluster().password, 'UNKNOWN before', '__Host']);
    const wanted = [
      /be2 +imap .* C: +\S+ UNKNOWN during/, / C: +\S+ SELECT INBOX/, / S: +\* \d+ FETCH \(UID \d+ BODY\[TEXT\] \{\d+\}\)/, / C: +\S+ LOGIN \*\*\*/, / C: +\S+ APPEND .*\{\d+\+?\}$/m, / smtpReceiving .* C: +MAIL FROM:<dave@example.com>/, / S: +250 /,
      /be2 +webmail .* C: +GET \/api\/mailboxes\?search=\*\*\*/,
      /fe1 +imapProxy .* S: +\* OK \[CAPABILITY /, /fe1 +imapProxy .* C: +\S+ STARTTLS/, /fe1 +imapProxy .* C: +\S+ AUTHENTICATE PLAIN \*\*\*/, /fe1 +imapProxy .* C: +\S+ LOGIN \*\*\*\n.* fe1 +imapProxy .* S: +\S+ NO /, /fe1 +imapProxy .* C: +\S+ UNKNOWN during/, /fe1 +imapProxy .* S: +\* \d+ FETCH \(UID \d+ BODY\[TEXT\] \{\d+\}\)/,
      /fe1 +pop3Proxy .* C: +STLS/, /fe1 +pop3Proxy .* C: +PASS \*\*\*/, /fe1 +pop3Proxy .* S: +\(a message of \d+ bytes\)/,
      /fe1 +smtpProxy .* C: +EHLO /, /fe1 +smtpProxy .* C: +AUTH LOGIN\n.* S: +334 \(\d+ characters\)\n.* C: +\(a line of \d+ characters\)/, /fe1 +smtpProxy .* C: +RCPT TO:<dave@example.com>/,
      /fe1 +webmailProxy .* C: +POST \/api\/sign-in; host: .*; content-length: \d+\n.* S: +200; content-type: application\/json/, /fe1 +webmailProxy .* C: +GET \/api\/mailboxes\?search=\*\*\*/,
    ];
    // Other workers hear of it in a moment.
    for (const deadline = Date.now() + 60_000; !wanted.every((there) => there.test(shown));) {
      assert.ok(Date.now() < deadline, `${String(wanted.find((there) => !there.test(shown)))} is not in\n${shown}`);
      for (const each of await visitByAllProtocols('during', text)) never.add(each);
      shown = await traceProtocol('dave@example.com', 'show');
    }
    const file = readdirSync(cluster().folder, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('protocol-trace.log')).map((name) => readFileSync(path.join(cluster().folder, name), 'utf8')).join('');
    assert.ok(file.includes('UNKNOWN during'));
    for (const each of never) assert.ok(each !== '' && !shown.includes(each) && !file.includes(each), `${each} in\n${shown}`);
    await traceProtocol('dave@example.com', 'off');
    await visitByAllProtocols('afterwards', text);
    assert.doesNotMatch(await traceProtocol('dave@example.com', 'show'), /afterwards/);
    const acts = auditOf(cluster(), 'be2').filter(({ what }) => what === 'traceProtocol').map(({ facts }) => facts);
    assert.deepEqual(acts, [{ address: 'dave@example.com', minutes: 5, frontends: 'all' }, { address: 'dave@example.com', minutes: 0, frontends: 'login' }]);
  });

  test('a back-end of choice keeps the trace of front-ends, as for mailboxes on servers that are no nodes', async () => {
    await traceProtocol('dave@example.com', 'on', '--at', 'be1');
    let shown = '';
    for (const deadline = Date.now() + 60_000; !/fe1 +imapProxy .* S: +\S+ OK /.test(shown);) {
      assert.ok(Date.now() < deadline, shown);
      (await ImapSession.logIn(cluster(), { node: 'fe1', user: 'dave' })).dialogue.close();
      shown = await traceProtocol('dave@example.com', 'show', '--at', 'be1');
    }
    assert.ok(!shown.includes(cluster().password) && !/be2 /.test(shown), shown);
  });
}
