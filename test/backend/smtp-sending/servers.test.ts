import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import { createSmtpSending } from '../../../backend/smtp-sending/smtp-sending.ts';
import type { SendingRoute, SmtpSending } from '../../../backend/smtp-sending/smtp-sending.ts';
import { isFailure } from '../../../shared/base/failure.ts';
import { createDnr, defaultDnrOptions } from '../../../shared/dnr/dnr.ts';
import { createLog } from '../../../shared/log/log.ts';
import { SmtpRefused } from '../../../shared/smtp/refusal.ts';
import { startDns } from '../../shared/dnr/dns-server.ts';
import type { Zone } from '../../shared/dnr/dns-server.ts';
import { messageOf, pieces, startWorld } from '../processing/cluster.ts';

async function sendingBy(t: TestContext, zone: Zone, options: { readonly port: number; readonly routes?: readonly SendingRoute[] }): Promise<SmtpSending> {
  const dns = await startDns(t, zone);
  const dnr = createDnr({ ...defaultDnrOptions, timeoutMs: 300, tries: 1, nameServers: [dns.server] });
  return createSmtpSending({ hostName: 'be1.example.com', dnr, routes: [], connectTimeoutMs: 1000, timeouts: { greetingMs: 1000, finalMs: 1000 }, log: createLog({ node: 'be1', level: 'silent' }), ...options });
}

const message = { sender: { address: 's@example.com' }, bytes: () => pieces(messageOf('out')) };

test('takes the exchanger of the lowest preference that answers, and another of its addresses when one is dead', async (t) => {
  const world = await startWorld(t);
  // 127.0.0.2 and 127.0.0.3 are this machine, too, but nobody listens there.
  const sending = await sendingBy(t, {
    'example.net': { mx: [[20, 'second.example.net'], [10, 'first.example.net']] },
    'first.example.net': { a: ['127.0.0.2', '127.0.0.3'] }, 'second.example.net': { a: ['127.0.0.1'] },
  }, { port: world.port });
  const channel = await sending.open({ domain: 'example.net' });
  assert.equal(channel.peer, '127.0.0.1');
  for (let count = 0; count < 2; count += 1) {
    const [one, two] = await channel.send(message, [{ address: 'x@example.net' }, { address: 'y@example.net' }]);
    assert.deepEqual([one?.at, two?.at], ['delivered', 'delivered']);
  }
  await channel.close();
  assert.equal(world.taken.length, 2);
  assert.equal(world.connections(), 1, 'one connection for several messages');
});

test('a domain that takes no mail, does not exist, or leads back to us is refused for good; silence of DNS is not', async (t) => {
  const sending = await sendingBy(t, {
    'null.test': { mx: [[0, '']] }, 'self.test': { mx: [[10, 'BE1.example.com'], [20, 'backup.test']] }, 'silent.test': 'silent',
    'no-address.test': { mx: [[10, 'missing.test']] }, 'later.test': { mx: [[10, 'silent.test']] },
  }, { port: 9 });
  const refusal = async (domain: string): Promise<unknown> => sending.open({ domain }).catch((thrown: unknown) => (thrown instanceof SmtpRefused ? `${thrown.stage} ${String(thrown.reply.enhanced)}` : isFailure(thrown) && thrown.temporary ? 'later' : thrown));
  assert.equal(await refusal('null.test'), 'routing 5.1.10');
  assert.equal(await refusal('missing.test'), 'routing 5.1.2');
  assert.equal(await refusal('self.test'), 'routing 5.4.6');
  assert.equal(await refusal('no-address.test'), 'routing 5.4.4');
  assert.equal(await refusal('silent.test'), 'later');
  assert.equal(await refusal('later.test'), 'later');
});

test('encrypts where it is offered, whatever the certificate; `required` insists on one that checks', async (t) => {
  let secure: boolean | undefined;
  const world = await startWorld(t, {
    onMailFrom: (_, session, done) => {
      secure = session.secure;
      done();
    },
  });
  const route = (tls: SendingRoute['tls']): { port: number; routes: SendingRoute[] } => ({ port: 9, routes: [{ domain: '*', host: '127.0.0.1', port: world.port, tls }] });
  for (const [tls, expected] of [['opportunistic', true], ['none', false]] as const) {
    const channel = await (await sendingBy(t, {}, route(tls))).open({ domain: 'example.net' });
    await channel.send(message, [{ address: 'x@example.net' }]);
    await channel.close();
    assert.equal(secure, expected);
  }
  await assert.rejects((await sendingBy(t, {}, route('required'))).open({ domain: 'example.net' }));
});

test('each recipient has its own outcome: delivered, refused for now, refused for good, line broken', async (t) => {
  const world = await startWorld(t, {
    onRcptTo: ({ address }, _, done) => {
      const code = /^(\d{3})@/u.exec(address)?.[1];
      return code === undefined ? done() : done(Object.assign(new Error('no'), { responseCode: Number(code) }));
    },
  });
  const sending = await sendingBy(t, {}, { port: 9, routes: [{ domain: 'example.net', host: '127.0.0.1', port: world.port, tls: 'none' }] });
  const channel = await sending.open({ domain: 'example.net' });
  const outcomes = await channel.send(message, ['450@example.net', 'x@example.net', '550@example.net'].map((address) => ({ address })));
  assert.deepEqual(outcomes.map((outcome) => (outcome.at === 'refused' ? outcome.reply.code : outcome.at)), [450, 'delivered', 550]);
  assert.ok(channel.usable);
  await world.stop();
  const [broken] = await channel.send(message, [{ address: 'x@example.net' }]);
  assert.notEqual(broken?.at, 'delivered');
  assert.equal(channel.usable, false);
});
