/** What the server side gives every room: TLS without injection, bounds, parameters, identity, a civil end. */
import { test } from 'node:test';
import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { Failure } from '../../../shared/base/failure.ts';
import { makeReply } from '../../../shared/smtp/reply.ts';
import { SmtpRefused } from '../../../shared/smtp/refusal.ts';
import { CommandSlots } from '../../../shared/workers/command-slots.ts';
import { Dialogue } from '../../harness/dialogue.ts';
import { eventually } from '../../harness/people.ts';
import { greeted, startRecordingServer, toData } from './recording-server.ts';

test('what was pipelined ahead of the TLS handshake is thrown away', async (t) => {
  const server = await startRecordingServer(t);
  const client = await greeted(t, server.port);
  await client.ask('EHLO c', 250);
  client.sayRaw('STARTTLS\r\nEHLO injected\r\nMAIL FROM:<evil@example.net>\r\n');
  await client.reply(220);
  await client.startTls();
  const answer = await client.ask('RCPT TO:<r@example.com>', 503);
  assert.match(answer[0] ?? '', /HELO/, 'not even the injected EHLO is known');
  await sleep(50);
  await client.ask('NOOP', /^250 2\.0\.0 OK/);
  await client.ask('EHLO c', 250);
  assert.deepEqual(server.events, []);
});

test('AUTH is neither announced nor taken before TLS, and MAIL is refused before AUTH', async (t) => {
  const server = await startRecordingServer(t, {
    authentication: 'required',
    handlers: {
      authenticate: async (_, claim) => {
        await Promise.resolve();
        if (claim.password !== 'right') throw new Failure('bad-credentials', 'no');
        return claim.name;
      },
    },
    replyTo: (thrown) => (thrown instanceof SmtpRefused ? thrown.reply : makeReply(535, '5.7.8', 'authentication failed')),
  });
  const client = await greeted(t, server.port);
  assert.ok(!(await client.ask('EHLO c', 250)).some((line) => line.includes('AUTH')));
  await client.ask(`AUTH PLAIN ${Buffer.from('\0a\0right').toString('base64')}`, 500);
  assert.deepEqual(await client.ask('MAIL FROM:<a@example.com>', 530), ['530 5.7.0 must issue a STARTTLS command first']);
  await client.ask('STARTTLS', 220);
  await client.startTls();
  assert.ok((await client.ask('EHLO c', 250)).some((line) => /AUTH PLAIN LOGIN/.test(line)));
  await client.ask('MAIL FROM:<a@example.com>', 530);
  assert.deepEqual(await client.ask(`AUTH PLAIN ${Buffer.from('\0a\0wrong').toString('base64')}`, 535), ['535 5.7.8 authentication failed']);
  await client.ask(`AUTH PLAIN ${Buffer.from('other\0a\0right').toString('base64')}`, 535);
  await client.ask('AUTH LOGIN', 334);
  await client.ask(Buffer.from('a').toString('base64'), 334);
  await client.ask(Buffer.from('right').toString('base64'), 235);
  await client.ask('MAIL FROM:<a@example.com>', 250);
  assert.equal(server.peers[0]?.user, 'a');
  assert.equal(server.peers[0]?.protocol, 'ESMTPSA');
});

test('a message over the limit is refused at its end, and the session goes on', async (t) => {
  const server = await startRecordingServer(t, { limits: { maxMessageBytes: 1000 } });
  const client = await greeted(t, server.port);
  await client.ask('EHLO c', 250);
  await client.ask('MAIL FROM:<s@example.net> SIZE=1001', /^552 5\.3\.4/);
  await toData(client);
  client.sayRaw(`${'x'.repeat(98)}\r\n`.repeat(11));
  await client.ask('.', /^552 5\.3\.4 message too big/);
  assert.deepEqual(server.messages, []);
  await toData(client);
  await client.ask('small\r\n.', 250);
});

test('a flood of message bytes ends the connection', async (t) => {
  const server = await startRecordingServer(t, { limits: { maxMessageBytes: 1000 } });
  const client = await greeted(t, server.port);
  await toData(client);
  client.sayRaw(`${'x'.repeat(98)}\r\n`.repeat(15_000));
  await client.reply(/^552 5\.3\.4/);
  await client.closed();
});

test('overlong lines are refused in commands and in messages', async (t) => {
  const server = await startRecordingServer(t, { limits: { maxCommandBytes: 600, maxTextLineBytes: 2000 } });
  const client = await greeted(t, server.port);
  await toData(client);
  client.sayRaw(`${'x'.repeat(1998)}\r\n.\r\n`);
  await client.reply(250);
  await toData(client);
  client.sayRaw(`${'x'.repeat(1999)}\r\n.\r\n`);
  await client.reply(/^550 5\.6\.0 line too long/);
  client.sayRaw(`NOOP ${'x'.repeat(600)}`);
  await client.reply(/^500 5\.5\.2 line too long/);
  await client.closed();
});

test('recipients and refused commands are counted', async (t) => {
  const server = await startRecordingServer(t, { limits: { maxRecipients: 2, maxErrors: 3 } });
  const client = await greeted(t, server.port);
  await client.ask('EHLO c', 250);
  await client.ask('MAIL FROM:<s@example.net>', 250);
  await client.ask('RCPT TO:<a@example.com>', 250);
  await client.ask('RCPT TO:<b@example.com>', 250);
  await client.ask('RCPT TO:<c@example.com>', /^452 4\.5\.3/);
  for (let count = 0; count < 3; count += 1) await client.ask('WIZ x', 500);
  await client.reply(/^421 4\.7\.0 too many errors/);
  await client.closed();
});

test('parameters nobody knows are refused with 555, those named in the options arrive', async (t) => {
  const extras: unknown[] = [];
  const server = await startRecordingServer(t, {
    extraParameters: ['XWAYBILL-CUSTODIAN', 'XWAYBILL-SESSION'],
    handlers: {
      mail: async (_, sender) => {
        extras.push(sender.envid, ...(sender.extra ?? []));
        await Promise.resolve();
      },
    },
  });
  const client = await greeted(t, server.port);
  await client.ask('EHLO c', 250);
  await client.ask('MAIL FROM:<s@example.net> X-ELSE=1', /^555 5\.5\.4/);
  await client.ask('MAIL FROM:<s@example.net> ENVID=a+2Bb XWAYBILL-CUSTODIAN XWAYBILL-SESSION=abc', 250);
  await client.ask('RCPT TO:<r@example.com> X=1', /^555 5\.5\.4/);
  assert.deepEqual(extras, ['a+b', ['XWAYBILL-CUSTODIAN', true], ['XWAYBILL-SESSION', 'abc']]);
});

test('LMTP answers once for each RCPT that was taken, in their order, also where an address was given twice', async (t) => {
  const server = await startRecordingServer(t, {
    protocol: 'lmtp', encryption: 'implicit', limits: { maxRecipients: 5 },
    handlers: {
      recipient: async (_, { address }) => {
        await Promise.resolve();
        if (address.startsWith('unknown')) throw new SmtpRefused('rcpt', makeReply(550, '5.1.1', 'unknown'));
      },
      message: async (_, bytes, recipients) => {
        const read: Buffer[] = [];
        for await (const piece of bytes) read.push(piece);
        if (Buffer.concat(read).toString() === 'refused\r\n') throw new SmtpRefused('message', makeReply(554, '5.7.1', 'not this one'));
        return recipients.map(({ address }) => (address === 'full@example.com' ? makeReply(452, '4.2.2', 'mailbox full') : makeReply(250, '2.1.5', `stored for ${address}`)));
      },
    },
  });
  const client = await greeted(t, server.port, 'implicit');
  await client.ask('LHLO fe1', 250);
  const send = async (text: string, commands: readonly (readonly [address: string, code: number])[]): Promise<string[]> => {
    await client.ask('MAIL FROM:<s@example.net>', 250);
    for (const [address, code] of commands) await client.ask(`RCPT TO:<${address}>`, code);
    client.sayRaw(`DATA\r\n${text}\r\n.\r\nNOOP\r\n`);
    await client.reply(354);
    const replies: string[] = [];
    for (let line = ''; !line.startsWith('250 2.0.0 OK'); replies.push(line)) line = await client.line();
    return replies.slice(0, -1);
  };
  const named = [['a@example.com', 250], ['full@example.com', 250], ['A@example.com', 250], ['unknown@example.com', 550], ['full@example.com', 250], ['b@example.com', 250]] as const;
  assert.deepEqual(await send('hello', named), ['250 2.1.5 stored for A@example.com', '452 4.2.2 mailbox full', '250 2.1.5 stored for A@example.com', '452 4.2.2 mailbox full', '250 2.1.5 stored for b@example.com']);
  assert.deepEqual(await send('refused', [['a@example.com', 250], ['a@example.com', 250]]), ['554 5.7.1 not this one', '554 5.7.1 not this one']);
  assert.deepEqual(await send('hello', [['a@example.com', 250]]), ['250 2.1.5 stored for a@example.com'], 'what was named before is forgotten');
  const repeated = Array.from({ length: 6 }, (_, index) => ['a@example.com', index < 5 ? 250 : 452] as const);
  assert.equal((await send('hello', repeated)).length, 5, 'replies have a bound');
});

test('LMTP answers once for each recipient, and a trusted peer names the client', async (t) => {
  const server = await startRecordingServer(t, {
    protocol: 'lmtp', encryption: 'implicit', trustedPeers: 'yes', extensions: ['XWAYBILL'],
    handlers: {
      message: async (_, bytes, recipients) => {
        for await (const piece of bytes) assert.ok(piece.length > 0);
        return recipients.map(({ address }) => (address === 'full@example.com' ? makeReply(452, '4.2.2', 'mailbox full') : makeReply(250, '2.6.0', 'stored')));
      },
    },
  });
  const client = await greeted(t, server.port, 'implicit');
  assert.ok((await client.ask('LHLO fe1', 250)).includes('250 XWAYBILL'));
  await client.ask('XCLIENT ADDR=IPV6:2001:db8::1 PORT=4242 NAME=[UNAVAILABLE] HELO=mail.example.net PROTO=ESMTPS', 220);
  await client.ask('LHLO fe1', 250);
  await client.ask('MAIL FROM:<>', 250);
  await client.ask('RCPT TO:<a@example.com>', 250);
  await client.ask('RCPT TO:<full@example.com>', 250);
  await client.ask('DATA', 354);
  client.say('hello\r\n.');
  assert.deepEqual([await client.reply(250), await client.reply(452)], [['250 2.6.0 stored'], ['452 4.2.2 mailbox full']]);
  const [peer] = server.peers;
  assert.deepEqual([peer?.address, peer?.port, peer?.hello, peer?.protocol, peer?.forwarded], ['2001:db8::1', 4242, 'fe1', 'LMTPS', { hello: 'mail.example.net', protocol: 'ESMTPS' }]);
  await client.ask('QUIT', 221);
  await client.closed();
  await eventually(async () => server.events.at(-1) === 'close quit');
});

test('a stop lets the running message finish, then says 421 to everyone', async (t) => {
  let finish: () => void = () => undefined;
  const finished = new Promise<void>((resolve) => {
    finish = resolve;
  });
  const server = await startRecordingServer(t, {
    handlers: {
      message: async (_, bytes) => {
        for await (const piece of bytes) assert.ok(piece.length > 0);
        await finished;
        return makeReply(250, '2.6.0', 'stored');
      },
    },
  });
  const idle = await greeted(t, server.port);
  const busy = await greeted(t, server.port);
  await toData(busy);
  busy.say('hello\r\n.');
  await sleep(20);
  const stopped = server.sessions.stop(5000);
  await idle.reply(/^421 4\.3\.2/);
  await sleep(50);
  finish();
  await busy.reply(250);
  await busy.reply(/^421 4\.3\.2/);
  idle.close();
  busy.close();
  await stopped;
});

test('a message whose client goes away is never whole', async (t) => {
  let outcome: unknown;
  const server = await startRecordingServer(t, {
    handlers: {
      message: async (_, bytes) => {
        try {
          for await (const piece of bytes) assert.ok(piece.length > 0);
          outcome = 'whole';
        } catch (thrown) {
          outcome = thrown;
        }
        return makeReply(250, '2.6.0', 'stored');
      },
    },
  });
  const client = await greeted(t, server.port);
  await toData(client);
  client.sayRaw('half a mess');
  await sleep(20);
  client.close();
  await eventually(async () => server.events.at(-1) === 'close cut');
  assert.ok(outcome instanceof Failure);
});

test('a client that says nothing, or talks before the greeting, is sent away', async (t) => {
  const server = await startRecordingServer(t, { limits: { idleTimeoutMs: 100 }, greetingDelayMs: 50 });
  const silent = await greeted(t, server.port);
  await silent.reply(/^421 4\.4\.2 /);
  await silent.closed();
  const hasty = await Dialogue.connect({ port: server.port });
  hasty.say('EHLO spam');
  await hasty.reply(/^421 .*too soon/);
  await hasty.closed();
});

test('logins and recipients are worked on in the places of the service, steps of an exchange by themselves; a message that is waited for keeps nobody from them', async (t) => {
  const gate = Promise.withResolvers<void>();
  const begun: string[] = [];
  const slots = new CommandSlots('smtpReceiving', 1);
  const mx = await startRecordingServer(t, {
    slots,
    handlers: {
      recipient: async (_, { address }) => {
        begun.push(address);
        if (address.startsWith('slow')) await gate.promise;
      },
    },
  });
  const submission = await startRecordingServer(t, {
    slots, encryption: 'implicit', authentication: 'required',
    handlers: {
      mechanisms: () => new Map([['LOGIN', () => ({
        step: async (response?: Buffer) => {
          begun.push('step');
          return Promise.resolve(response?.toString() === 'p' ? { kind: 'user', user: 'u' } as const : { kind: 'challenge', data: Buffer.from('x') } as const);
        },
      })]]),
    },
  });
  const [first, second, third] = [await greeted(t, mx.port), await greeted(t, mx.port), await greeted(t, submission.port, 'implicit')];
  await first.ask('EHLO c', 250);
  await first.ask('MAIL FROM:<s@example.net>', 250);
  await first.ask('RCPT TO:<quick@example.com>', 250);
  await first.ask('DATA', 354); // its text is not there yet
  await second.ask('EHLO c', 250);
  await second.ask('MAIL FROM:<s@example.net>', 250);
  second.say('RCPT TO:<slow@example.com>');
  await third.ask('EHLO c', 250);
  third.say('AUTH LOGIN');
  await sleep(200);
  assert.deepEqual(begun, ['quick@example.com', 'slow@example.com']);
  gate.resolve();
  await second.reply(250);
  await third.reply(334);
  await second.ask('RCPT TO:<slow@example.com>', 250); // between two steps the exchange has no place
  await third.ask(Buffer.from('u').toString('base64'), 334);
  await third.ask(Buffer.from('p').toString('base64'), 235);
  first.sayRaw('Subject: x\r\n\r\n.\r\n');
  await first.reply(250);
});
