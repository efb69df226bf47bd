/** Every real message comes back byte for byte: delivered by SMTP behind its trace fields, appended by IMAP as it is. */
import { describe, test } from 'node:test';
import assert from 'node:assert/strict';
import type { Cluster, NodeName } from '../harness/cluster.ts';
import { addPerson } from '../harness/demo-people.ts';
import { ImapSession } from '../harness/imap-session.ts';
import { Pop3Session } from '../harness/pop3-session.ts';
import { SmtpSession } from '../harness/smtp-session.ts';
import { readRealMail, realMailNames } from '../shared/mime/real-mail.ts';

/** What servers put before a message; nothing else may stand there. */
const traceFields = /^Return-Path: <sender@example\.net>\r\n(?:Received: [^\r\n]*\r\n(?:[ \t][^\r\n]*\r\n)*)+$/;

export function realMailSuite(cluster: () => Cluster): void {
  describe('real messages', { concurrency: true }, () => {
    for (const [node, other, home] of [['fe1', 'fe2', 'be1'], ['fe2', 'fe1', 'be2']] as const) {
      test(`delivered through ${node} to ${home}, IMAP and POP3 give back the same bytes`, async () => {
        const user = await addPerson(cluster(), home);
        const sent = await deliverAll(cluster(), node, user);
        const imap = await ImapSession.logIn(cluster(), { node: other, user });
        await imap.ok('SELECT INBOX');
        const byImap = [...(await imap.messages()).entries()].toSorted(([one], [two]) => one - two).map(([, bytes]) => bytes);
        imap.close();
        assert.equal(byImap.length, sent.length);
        const pop3 = await Pop3Session.connect(cluster(), node);
        // Some have it in their headers.
        for (const words of ['UTF8', `USER ${user}`, `PASS ${cluster().password}`]) await pop3.ok(words);
        for (const [index, { name, bytes }] of sent.entries()) {
          const stored = byImap[index] ?? Buffer.alloc(0);
          assert.ok(stored.subarray(-bytes.length).equals(bytes), `${name} by IMAP`);
          assert.match(stored.subarray(0, -bytes.length).toString('latin1'), traceFields, name);
          assert.ok((await pop3.retrieve(index + 1)).equals(stored), `${name} by POP3`);
        }
        pop3.close();
      });

      test(`appended through ${node} at ${home}, IMAP gives back the same bytes`, async () => {
        const user = await addPerson(cluster(), home);
        const imap = await ImapSession.logIn(cluster(), { node, user });
        await imap.ok('ENABLE UTF8=ACCEPT'); // some have it in their headers
        for (const name of realMailNames) await imap.append('INBOX', readRealMail(name));
        await imap.ok('SELECT INBOX');
        const found = await imap.messages();
        for (const [index, name] of realMailNames.entries()) assert.ok(found.get(index + 1)?.equals(readRealMail(name)), name);
        imap.close();
      });
    }
  });
}

/** All of them in one session. SMTP can say no message that does not end with a line end. */
async function deliverAll(cluster: Cluster, node: NodeName, user: string): Promise<{ readonly name: string; readonly bytes: Buffer }[]> {
  const sent: { readonly name: string; readonly bytes: Buffer }[] = [];
  const session = await SmtpSession.connect(cluster, node);
  for (const name of realMailNames) {
    const whole = readRealMail(name);
    const bytes = whole.toString('latin1').endsWith('\r\n') ? whole : Buffer.concat([whole, Buffer.from('\r\n')]);
    assert.match(await session.send({ from: 'sender@example.net', to: [`${user}@example.com`], bytes }), /^250 /, name);
    sent.push({ name, bytes });
  }
  await session.quit();
  return sent;
}
