/** Mail from users who log in, on 587 and 465 of either front-end. */
import { describe, test } from 'node:test';
import assert from 'node:assert/strict';
import { frontendNames } from '../harness/cluster.ts';
import type { Cluster, NodeName } from '../harness/cluster.ts';
import { Dialogue } from '../harness/dialogue.ts';
import { ImapSession } from '../harness/imap-session.ts';
import { newMessage } from '../harness/messages.ts';
import { run } from '../harness/programs.ts';
import { SmtpSession } from '../harness/smtp-session.ts';
import type { World } from '../harness/world.ts';

export function submissionSuite(cluster: () => Cluster, world: () => World): void {
  for (const node of frontendNames) {
    describe(`submission through ${node}`, () => {
      for (const service of ['submission', 'submissions'] as const) {
        for (const mechanism of ['PLAIN', 'LOGIN'] as const) {
          const [user, other] = mechanism === 'PLAIN' ? ['alice', 'bob'] : ['bob', 'alice'];
          test(`${user} sends to both back-ends and to the world: ${service}, AUTH ${mechanism}`, async () => {
            const session = await SmtpSession.connect(cluster(), node, service);
            assert.match(await session.authenticate(user, cluster().password, mechanism), /^235 /);
            await sendEverywhere(cluster(), world(), { session, node, user, other });
          });
        }
      }
      refusals(cluster, node);
      programs(cluster, world, node);
    });
  }
}

async function sendEverywhere(
  cluster: Cluster, world: World, at: { readonly session: SmtpSession; readonly node: NodeName; readonly user: string; readonly other: string },
): Promise<void> {
  const { subject, bytes } = newMessage({ from: `${at.user}@example.com` });
  const to = [`${at.user}@example.com`, `${at.other}@example.com`, 'somebody@far.example.org'];
  assert.match(await at.session.send({ from: `${at.user}@example.com`, to, bytes }), /^250 /);
  await at.session.quit();
  for (const reader of [at.user, at.other]) {
    const imap = await ImapSession.logIn(cluster, { node: at.node, user: reader });
    await imap.findSoon(subject);
    imap.close();
  }
  const outside = await world.next(subject);
  assert.deepEqual([outside.from, outside.to], [`${at.user}@example.com`, ['somebody@far.example.org']]);
  assert.ok(outside.bytes.subarray(-bytes.length).equals(bytes));
  assert.equal(world.arrived.filter((one) => one.bytes.includes(subject)).length, 1);
}

function refusals(cluster: () => Cluster, node: NodeName): void {
  test('before TLS neither AUTH nor MAIL is taken', async () => {
    const dialogue = await Dialogue.connect({ port: cluster().port(node, 'submission') });
    await dialogue.reply(220);
    const offered = await dialogue.ask('EHLO client.example.net', 250);
    assert.ok(!offered.some((line) => line.includes('AUTH')), offered.join('\n'));
    await dialogue.ask('AUTH PLAIN AGFsaWNlAHdheWJpbGwtZGVtbw==', /^5\d\d /);
    await dialogue.ask('MAIL FROM:<alice@example.com>', /^530 /);
    dialogue.close();
  });

  test('mail without a login is refused', async () => {
    const session = await SmtpSession.connect(cluster(), node, 'submissions');
    assert.match(await session.say('MAIL FROM:<alice@example.com>'), /^530 /);
    session.close();
  });

  test('a sender that is not the user is refused with 553', async () => {
    const session = await SmtpSession.connect(cluster(), node, 'submissions');
    assert.match(await session.authenticate('alice', cluster().password), /^235 /);
    for (const stranger of ['bob@example.com', 'nobody@example.com', 'somebody@example.org']) {
      assert.match(await session.say(`MAIL FROM:<${stranger}>`), /^553 /);
    }
    await session.quit();
  });

  test('a wrong password is refused with 535', async () => {
    const session = await SmtpSession.connect(cluster(), node, 'submissions');
    assert.match(await session.authenticate('alice', 'wrong'), /^535 /);
    session.close();
  });
}

function programs(cluster: () => Cluster, world: () => World, node: NodeName): void {
  for (const [service, scheme] of [['submission', 'smtp'], ['submissions', 'smtps']] as const) {
    test(`curl, which checks the certificate, submits to the world on ${service}`, async () => {
      const { subject, bytes } = newMessage({ from: 'carol@example.com' });
      const curl = await run('curl', [
        '-sS', '--ssl-reqd', '--cacert', cluster().authorityFile, '--upload-file', '-', '--user', `carol:${cluster().password}`,
        '--mail-from', 'carol@example.com', '--mail-rcpt', 'somebody@far.example.org', `${scheme}://127.0.0.1:${String(cluster().port(node, service))}`,
      ], bytes);
      assert.equal(curl.code, 0, curl.complaint);
      assert.equal((await world().next(subject)).from, 'carol@example.com');
    });
  }
}
