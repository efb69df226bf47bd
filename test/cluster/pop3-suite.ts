/** POP3 on 110 and 995 of either front-end. */
import { describe, test } from 'node:test';
import assert from 'node:assert/strict';
import { frontendNames } from '../harness/cluster.ts';
import type { Cluster, NodeName } from '../harness/cluster.ts';
import { addPerson } from '../harness/demo-people.ts';
import { Dialogue } from '../harness/dialogue.ts';
import { ImapSession } from '../harness/imap-session.ts';
import { logLine } from '../harness/log-lines.ts';
import { newMessage } from '../harness/messages.ts';
import type { TestMessage } from '../harness/messages.ts';
import { Pop3Session } from '../harness/pop3-session.ts';
import { run } from '../harness/programs.ts';
import { deliver } from '../harness/smtp-session.ts';

export function pop3Suite(cluster: () => Cluster): void {
  for (const node of frontendNames) {
    describe(`POP3 through ${node}`, () => {
      for (const [home, service] of [['be1', 'pop3'], ['be2', 'pop3s']] as const) {
        test(`a user of ${home} lists, reads and deletes on ${service}; what was deleted is gone for IMAP too`, async () => {
          const user = await addPerson(cluster(), home);
          const sent = await deliverThree(cluster(), node, user);
          await readAndDelete(await Pop3Session.logIn(cluster(), { node, user, service }), sent);
          const imap = await ImapSession.logIn(cluster(), { node, user });
          assert.equal((await imap.find(sent[0]?.subject ?? '')).length, 1);
          assert.deepEqual(await imap.find(sent[1]?.subject ?? ''), []);
          imap.close();
          await logLine(cluster(), node, [`"account":"${user}@example.com","node":"${home}"`]);
        });
      }
      refusals(cluster, node);

      test('curl pop3s:// lists and fetches, and checks the certificate', async () => {
        const user = await addPerson(cluster(), 'be2');
        const [first] = await deliverThree(cluster(), node, user);
        const words = ['-sS', '--cacert', cluster().authorityFile, '--user', `${user}:${cluster().password}`];
        const url = `pop3s://127.0.0.1:${String(cluster().port(node, 'pop3s'))}`;
        const list = await run('curl', [...words, url]);
        assert.match(list.output, /^1 \d+\r\n2 \d+\r\n3 \d+\r\n$/, list.complaint);
        const message = await run('curl', [...words, `${url}/1`]);
        assert.ok(message.output.endsWith(first?.bytes.toString('latin1') ?? '?'), message.complaint);
      });
    });
  }
}

/** Three messages; the second has lines that begin with dots. */
async function deliverThree(cluster: Cluster, node: NodeName, user: string): Promise<TestMessage[]> {
  const messages = ['One.\r\n', '.\r\n..\r\n.three\r\n', 'Three.\r\n'].map((text) => newMessage({ text }));
  for (const { bytes } of messages) assert.match(await deliver(cluster, node, { from: 'sender@example.net', to: [`${user}@example.com`], bytes }), /^250 /);
  return messages;
}

async function readAndDelete(pop3: Pop3Session, sent: readonly TestMessage[]): Promise<void> {
  assert.match(await pop3.ok('STAT'), /^\+OK 3 \d+/);
  const sizes = (await pop3.lines('LIST')).map((line) => Number(line.split(' ')[1]));
  const ids = await pop3.lines('UIDL');
  assert.equal(new Set(ids.map((line) => line.split(' ')[1])).size, 3);
  for (const [index, { bytes }] of sent.entries()) {
    const message = await pop3.retrieve(index + 1);
    assert.ok(message.subarray(-bytes.length).equals(bytes));
    assert.equal(message.length, sizes[index]);
  }
  await pop3.ok('DELE 2');
  await pop3.ok('QUIT');
  pop3.close();
}

function refusals(cluster: () => Cluster, node: NodeName): void {
  test('a wrong password and an unknown user are refused in the same words', async () => {
    const pop3 = await Pop3Session.connect(cluster(), node);
    await pop3.ok('USER alice');
    const wrong = await pop3.run('PASS wrong');
    assert.match(wrong, /^-ERR \[AUTH\] /);
    await pop3.ok('USER nobody');
    assert.equal(await pop3.run('PASS wrong'), wrong);
    pop3.close();
  });

  test('a password in the clear is not taken', async () => {
    const dialogue = await Dialogue.connect({ port: cluster().port(node, 'pop3') });
    await dialogue.expect(/^\+OK /);
    dialogue.say('USER alice');
    await dialogue.expect(/^-ERR /);
    dialogue.close();
  });
}
