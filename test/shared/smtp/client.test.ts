/** The client tells apart: refused, no connection, too slow, and "nobody knows" after the final dot. */
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import assert from 'node:assert/strict';
import { once } from 'node:events';
import * as net from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import fc from 'fast-check';
import { isFailure } from '../../../shared/base/failure.ts';
import { openSmtpClient } from '../../../shared/smtp/client.ts';
import type { SmtpClient } from '../../../shared/smtp/client.ts';
import { DotStuffer, DotUnstuffer } from '../../../shared/smtp/dot-stuffing.ts';
import type { SmtpTimeouts } from '../../../shared/smtp/reply-reader.ts';
import { OutcomeUnknown, SmtpRefused } from '../../../shared/smtp/refusal.ts';
import { makeReply } from '../../../shared/smtp/reply.ts';
import { certificates, startRecordingServer } from './recording-server.ts';

/** A server that answers each line (or the final dot) from a script; null: it cuts the line, '' : it stays silent. */
async function scriptedServer(t: TestContext, answers: (string | null)[]): Promise<{ port: number; received: () => string }> {
  let received = '';
  const server = net.createServer((socket) => {
    const next = (): void => {
      const answer = answers.shift();
      if (answer === null) socket.destroy();
      else if (answer !== undefined && answer !== '') socket.write(answer);
    };
    socket.on('error', () => undefined);
    socket.on('data', (chunk: Buffer) => {
      received += chunk.toString('latin1');
      next();
    });
    t.after(() => socket.destroy());
    next();
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => server.close());
  return { port: (server.address() as net.AddressInfo).port, received: () => received };
}

async function open(t: TestContext, port: number, timeouts: Partial<SmtpTimeouts> = {}): Promise<SmtpClient> {
  const client = await openSmtpClient({ host: '127.0.0.1', port, timeoutMs: 1000 }, { protocol: 'smtp', timeouts });
  t.after(() => client.destroy());
  return client;
}

async function* pieces(...texts: string[]): AsyncGenerator<Buffer> {
  for (const text of texts) yield await Promise.resolve(Buffer.from(text, 'latin1'));
}

const toData = ['220 mx\r\n', '250 mx\r\n', '250 ok\r\n', '250 ok\r\n', '354 go\r\n'];

async function untilData(client: SmtpClient): Promise<void> {
  await client.hello('me.example.net');
  await client.envelope({ address: 's@example.net' }, [{ address: 'r@example.com' }]);
}

test('a line cut after the final dot is an unknown outcome, not a refusal', async (t) => {
  const server = await scriptedServer(t, [...toData, null]);
  const client = await open(t, server.port);
  await untilData(client);
  await assert.rejects(client.data(pieces('hello\r\n')), OutcomeUnknown);
  assert.equal(client.stage, 'final');
});

test('a server too slow after the final dot is an unknown outcome, too', async (t) => {
  const server = await scriptedServer(t, [...toData, '']);
  const client = await open(t, server.port, { finalMs: 50 });
  await untilData(client);
  await assert.rejects(client.data(pieces('hello\r\n')), (thrown) => thrown instanceof OutcomeUnknown && isFailure(thrown.cause, 'timed-out'));
});

test('a refused DATA is a refusal with its reply', async (t) => {
  const server = await scriptedServer(t, [...toData.slice(0, 4), '451 4.3.1 no\r\n']);
  const client = await open(t, server.port);
  await untilData(client);
  await assert.rejects(client.data(pieces('x')), (thrown) => thrown instanceof SmtpRefused && thrown.temporary && thrown.reply.enhanced === '4.3.1' && thrown.stage === 'data');
});

test('a line cut in the middle of the message means that it was not taken', async (t) => {
  const server = await scriptedServer(t, [...toData, null]);
  const client = await open(t, server.port);
  await untilData(client);
  const slow = async function* (): AsyncGenerator<Buffer> {
    for (let count = 0; count < 100; count += 1) {
      yield Buffer.from('hello\r\n');
      await sleep(5);
    }
  };
  await assert.rejects(client.data(slow()), (thrown) => isFailure(thrown, 'backend-unavailable'));
});

test('when the source of the message fails, the line is cut and no final dot is sent', async (t) => {
  const server = await scriptedServer(t, [...toData, '']);
  const client = await open(t, server.port);
  await untilData(client);
  const broken = async function* (): AsyncGenerator<Buffer> {
    yield await Promise.resolve(Buffer.from('half\r\n'));
    throw new Error('disk');
  };
  await assert.rejects(client.data(broken()), /disk/);
  await sleep(20);
  assert.ok(!client.alive);
  assert.ok(server.received().endsWith('DATA\r\nhalf\r\n') || server.received().endsWith('DATA\r\n'), server.received());
});

test('each step has its time', async (t) => {
  const server = await scriptedServer(t, ['220 mx\r\n', '']);
  const client = await open(t, server.port, { commandMs: 50 });
  await assert.rejects(client.hello('me'), (thrown) => isFailure(thrown, 'timed-out'));
});

test('EHLO falls back to HELO, and nonsense is said to be nonsense', async (t) => {
  const old = await scriptedServer(t, ['220 old\r\n', '502 what\r\n', '250 hello\r\n', 'gibberish\r\n']);
  const client = await open(t, old.port);
  await client.hello('me');
  assert.equal(client.extensions.size, 0);
  await assert.rejects(client.mail({ address: '' }), (thrown) => isFailure(thrown, 'bad-input'));
});

test('an address can not carry a second command', async (t) => {
  const server = await scriptedServer(t, ['220 mx\r\n', '250 mx\r\n']);
  const client = await open(t, server.port);
  await client.hello('me');
  for (const address of ['a@example.com>\r\nRCPT TO:<b@example.com', 'a\n@example.com', 'a@exa\0mple.com', 'a b@example.com', '@example.com', 'a@', 'a@b..c']) {
    await assert.rejects(client.mail({ address }), (thrown) => isFailure(thrown, 'bad-input'), address);
  }
  await assert.rejects(client.hello('me\r\nMAIL FROM:<>'), (thrown) => isFailure(thrown, 'bad-input'));
});

test('over TLS, to a real server: envelope with parameters, message, replies for each recipient', async (t) => {
  const seen: unknown[] = [];
  const server = await startRecordingServer(t, {
    protocol: 'lmtp', encryption: 'implicit', trustedPeers: 'yes', extensions: ['XWAYBILL'], extraParameters: ['XWAYBILL-SESSION'],
    handlers: {
      mail: async (_, sender) => {
        seen.push(sender);
        await Promise.resolve();
      },
      recipient: async (_, recipient) => {
        seen.push(recipient);
        await Promise.resolve();
        if (recipient.address.startsWith('unknown')) throw new SmtpRefused('rcpt', makeReply(550, '5.1.1', 'unknown'));
      },
    },
  });
  const fe1 = certificates['fe1'];
  const tls = { cert: fe1?.certificate, key: fe1?.key, ca: fe1?.authority, servername: 'localhost' };
  const client = await openSmtpClient({ host: '127.0.0.1', port: server.port, timeoutMs: 1000, tls }, { protocol: 'lmtp' });
  await client.hello('fe1');
  await client.xclient({ address: '192.0.2.1', port: 4, hello: 'a+b', protocol: 'ESMTP' });
  await client.hello('fe1');
  const sender = { address: 'jürgen@xn--exmple-cua.com', size: 9, body: '8BITMIME', smtpUtf8: true, ret: 'HDRS', envid: 'a+b=c', extra: new Map([['XWAYBILL-SESSION', 'abc']]) } as const;
  const recipients = [{ address: 'one@example.com', notify: ['FAILURE', 'DELAY'], orcpt: 'rfc822;x+y@z' }, { address: 'unknown@example.com', notify: undefined, orcpt: undefined }, { address: 'two@example.com', notify: undefined, orcpt: undefined }];
  const replies = await client.envelope(sender, recipients);
  assert.deepEqual([replies.sender, ...replies.recipients].map(({ code }) => code), [250, 250, 550, 250]);
  assert.deepEqual(seen, [{ ...sender, address: 'jürgen@exämple.com' }, ...recipients]);
  assert.deepEqual((await client.data(pieces('.x\r\n', '.\r', '\n'))).map(({ code }) => code), [250, 250]);
  assert.deepEqual(server.messages, ['.x\r\n.\r\n']);
  await client.quit();
});

test('dot-stuffing is undone by the receiver, wherever the pieces are cut, and no bare CR or LF is ever sent', () => {
  const text = fc.array(fc.constantFrom('.', '\r', '\n', '\r\n', 'a', '\r\n.'), { maxLength: 30 }).map((parts) => parts.join(''));
  const size = fc.integer({ min: 1, max: 7 });
  fc.assert(fc.property(text, size, size, (message, sendSize, receiveSize) => {
    const stuffer = new DotStuffer();
    const wire = `${cut(message, sendSize).map((piece) => stuffer.push(piece).toString()).join('')}${stuffer.end()}`;
    assert.ok(!/\r(?!\n)|(?<!\r)\n/.test(wire));
    const normal = message.replace(/\r\n|\r|\n/g, '\r\n');
    const whole = normal === '' || normal.endsWith('\r\n') ? normal : `${normal}\r\n`;
    assert.deepEqual(receive(`${wire}QUIT\r\n`, receiveSize), { content: whole, rest: 'QUIT\r\n' });
  }), { numRuns: 2000 });
});

test('only CRLF dot CRLF ends a message, and the first dot of a line goes', () => {
  for (const size of [1, 2, 3, 100]) {
    for (const notEnd of ['\n.\n', '\n.\r\n', '\r\n.\n', '\r.\r', '\r.\r\n', '\r\n.\r\r\n', '\r\n.\rx', '.', '.\r', '\r\n..\r\n']) {
      assert.equal(receive(`a${notEnd}`, size).rest, undefined, JSON.stringify(notEnd));
    }
    assert.deepEqual(receive('.\r\nrest', size), { content: '', rest: 'rest' });
    assert.deepEqual(receive('.x\r\n..\r\n.\r\n', size), { content: 'x\r\n.\r\n', rest: '' });
  }
});

function cut(text: string, size: number): Buffer[] {
  return Array.from({ length: Math.ceil(text.length / size) }, (_, index) => Buffer.from(text.slice(index * size, (index + 1) * size)));
}

function receive(wire: string, size: number): { content: string; rest: string | undefined } {
  const unstuffer = new DotUnstuffer();
  let content = '';
  const pieces = cut(wire, size);
  for (const [index, piece] of pieces.entries()) {
    const step = unstuffer.push(piece);
    content += step.content.toString();
    if (step.rest !== undefined) return { content, rest: Buffer.concat([step.rest, ...pieces.slice(index + 1)]).toString() };
  }
  return { content, rest: undefined };
}
