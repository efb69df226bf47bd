/** BDAT (RFC 3030): a message in chunks is the message it would be after DATA, and nothing in a chunk is ever a command. */
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import fc from 'fast-check';
import { makeReply } from '../../../shared/smtp/reply.ts';
import { SmtpRefused } from '../../../shared/smtp/refusal.ts';
import { Dialogue } from '../../harness/dialogue.ts';
import { startRecordingServer, takingItsTime } from './recording-server.ts';
import type { Recorded } from './recording-server.ts';

type ServerOptions = Parameters<typeof startRecordingServer>[1];

async function greeted(t: TestContext, given: ServerOptions = {}): Promise<[Recorded, Dialogue]> {
  const server = await startRecordingServer(t, given);
  const client = await Dialogue.connect({ port: server.port, tls: given.encryption === 'implicit' ? 'implicit' : 'none' });
  t.after(() => client.close());
  await client.reply(220);
  assert.ok((await client.ask(given.protocol === 'lmtp' ? 'LHLO c' : 'EHLO c', 250)).some((line) => line.endsWith('CHUNKING')));
  return [server, client];
}

async function envelope(client: Dialogue, recipients: readonly string[] = ['r@example.com']): Promise<void> {
  await client.ask('MAIL FROM:<s@example.net>', 250);
  for (const recipient of recipients) await client.ask(`RCPT TO:<${recipient}>`, 250);
}

test('chunks make one message, dots and commands in them are content, and the session goes on', async (t) => {
  const [server, client] = await greeted(t);
  await envelope(client);
  const parts = ['Subject: x\r\n', '\r\n.\r\nRSET\r\nQUIT\r\n', '..end'];
  for (const part of parts) {
    client.sayRaw(`BDAT ${String(part.length)}\r\n${part}`);
    assert.deepEqual(await client.reply(250), [`250 2.0.0 ${String(part.length)} octets received`]);
  }
  await client.ask('NOOP', 250);
  await client.ask('bdat 0 last', /^250 2\.6\.0 taken/);
  await envelope(client);
  client.sayRaw('BDAT 6 LAST\r\nnext\r\n');
  await client.reply(250);
  assert.deepEqual(server.messages, [`${parts.join('')}\r\n`, 'next\r\n'], 'the last line is ended, as DATA would');
  await client.ask('BDAT 0 LAST', /^503 5\.5\.1 /);
});

test('any message, in any chunks, in any segments of the line, in one go with its envelope, arrives as it is', async (t) => {
  const [server, client] = await greeted(t);
  const tokens = fc.array(fc.constantFrom('.', '\r\n', '\r\n.\r\n', 'a', 'BDAT 3\r\n', 'QUIT\r\n', '\0'.replace('\0', 'é'), 'x'.repeat(300)), { maxLength: 12 });
  await fc.assert(fc.asyncProperty(tokens, fc.array(fc.nat({ max: 40 }), { maxLength: 6 }), fc.integer({ min: 1, max: 700 }), async (words, sizes, segment) => {
    const bytes = Buffer.from(words.join(''));
    let wire = Buffer.from('MAIL FROM:<s@example.net>\r\nRCPT TO:<r@example.com>\r\n');
    let at = 0;
    for (const size of sizes) {
      const part = bytes.subarray(at, at + size);
      at += part.length;
      wire = Buffer.concat([wire, Buffer.from(`BDAT ${String(part.length)}\r\n`), part]);
    }
    const last = bytes.subarray(at);
    wire = Buffer.concat([wire, Buffer.from(`BDAT ${String(last.length)} LAST\r\n`), last, Buffer.from('NOOP\r\n')]);
    for (let from = 0; from < wire.length; from += segment) client.sayRaw(wire.subarray(from, from + segment));
    for (let replies = sizes.length + 4; replies > 0; replies -= 1) await client.reply(250);
    const text = bytes.toString('latin1');
    assert.equal(server.messages.pop(), text === '' || text.endsWith('\r\n') ? text : `${text}\r\n`);
  }), { numRuns: 150, verbose: true });
  assert.deepEqual(server.messages, []);
});

for (const [name, bytes, defect] of [['bare LF', 'a\nb\r\n', /bare <LF>/], ['bare CR', 'a\rb\r\n', /bare <CR>/], ['a CR at the very end', 'a\r', /bare <CR>/], ['NUL', 'a\0\r\n', /NUL/]] as const) {
  test(`${name} in a chunk is refused as it is after DATA, and the next message is not`, async (t) => {
    const [server, client] = await greeted(t);
    await envelope(client);
    client.sayRaw(`BDAT ${String(bytes.length)} LAST\r\n${bytes}`);
    assert.match((await client.reply(/^550 5\.6\.0 /))[0] ?? '', defect);
    await envelope(client);
    client.sayRaw('BDAT 3 LAST\r\nb\r\n');
    await client.reply(250);
    assert.deepEqual(server.messages, ['b\r\n']);
  });
}

test('without a recipient chunks are read and refused, also when they are pipelined behind the refusal', async (t) => {
  const [server, client] = await greeted(t, { handlers: { recipient: () => Promise.reject(new SmtpRefused('rcpt', makeReply(550, '5.1.1', 'no'))) } });
  client.sayRaw('MAIL FROM:<s@example.net>\r\nRCPT TO:<r@example.com>\r\nBDAT 6\r\nRSET\r\nBDAT 6 LAST\r\nQUIT\r\nNOOP\r\n');
  for (const code of [250, 550, 503, 503, /^250 2\.0\.0 OK/] as const) await client.reply(code);
  assert.deepEqual(server.messages, []);
});

test('a refusal in the middle is told at once, the rest is read and thrown away, and the next message is taken', async (t) => {
  let refusing = true;
  const [, client] = await greeted(t, {
    handlers: {
      message: async (_, bytes) => {
        if (refusing) throw new SmtpRefused('message', makeReply(452, '4.3.1', 'no space'));
        for await (const piece of bytes) assert.ok(piece.length > 0);
        return makeReply(250, '2.6.0', 'taken');
      },
    },
  });
  await envelope(client);
  client.sayRaw('BDAT 6\r\nQUIT\r\n');
  await client.reply(/^452 4\.3\.1 no space/);
  client.sayRaw(`BDAT 200000\r\n${'RSET\r\n'.repeat(33_333)}..BDAT 6 LAST\r\nQUIT\r\n`);
  await client.reply(503);
  await client.reply(503);
  refusing = false;
  await envelope(client);
  client.sayRaw('BDAT 3 LAST\r\na\r\n');
  await client.reply(250);
});

test('DATA, RCPT, MAIL and STARTTLS are out of place between chunks; RSET and EHLO give the message up', async (t) => {
  let givenUp = 0;
  const [server, client] = await greeted(t, {
    handlers: {
      message: async (_, bytes) => {
        try {
          for await (const piece of bytes) assert.ok(piece.length > 0);
        } catch (thrown) {
          givenUp += 1;
          throw thrown;
        }
        return makeReply(250, '2.6.0', 'taken');
      },
    },
  });
  for (const [index, command] of ['RSET', 'EHLO c'].entries()) {
    await envelope(client);
    client.sayRaw('BDAT 3\r\na\r\n');
    await client.reply(250);
    for (const wrong of ['DATA', 'RCPT TO:<b@example.com>', 'MAIL FROM:<b@example.com>', 'STARTTLS']) await client.ask(wrong, /^503 5\.5\.1 /);
    await client.ask(command, 250);
    assert.equal(givenUp, index + 1, 'the handler has heard before the client');
    await client.ask('BDAT 0 LAST', 503);
  }
  assert.equal(server.events.filter((event) => event === 'rcpt b@example.com').length, 0);
});

test('a message that is cut off between chunks is never whole', async (t) => {
  for (const end of ['cut', 'quit'] as const) {
    let outcome = 'running';
    const [server, client] = await greeted(t, {
      handlers: {
        message: async (_, bytes) => {
          outcome = await (async () => {
            for await (const piece of bytes) assert.ok(piece.length > 0);
            return 'whole';
          })().catch(() => 'broken');
          return makeReply(250, '2.6.0', 'taken');
        },
      },
    });
    await envelope(client);
    client.sayRaw('BDAT 3\r\na\r\n');
    await client.reply(250);
    if (end === 'quit') await client.ask('QUIT', 221);
    client.close();
    for (let wait = 0; wait < 100 && !server.events.includes(`close ${end}`); wait += 1) await sleep(20);
    assert.deepEqual([outcome, server.events.at(-1)], ['broken', `close ${end}`]);
  }
});

test('limits: the message\'s size over all chunks, a chunk that announces a flood, and one whose length is no number', async (t) => {
  const [server, client] = await greeted(t, { limits: { maxMessageBytes: 1000 } });
  const line = `${'x'.repeat(98)}\r\n`;
  await envelope(client);
  client.sayRaw(`BDAT 900\r\n${line.repeat(9)}BDAT 200 LAST\r\n${line.repeat(2)}`);
  await client.reply(250);
  await client.reply(/^552 5\.3\.4 /);
  await envelope(client);
  await client.ask('BDAT 2000000', /^552 5\.3\.4 /);
  await client.closed();
  for (const wrong of ['BDAT', 'BDAT x', 'BDAT -1', 'BDAT 1 FIRST', 'BDAT 99999999999999999999', 'BDAT 0x10']) {
    const other = await Dialogue.connect({ port: server.port });
    await other.reply(220);
    await other.ask('EHLO c', 250);
    other.sayRaw(`${wrong}\r\nMAIL FROM:<evil@example.net>\r\n`);
    await other.reply(/^501 5\.5\.4 /);
    await other.closed();
  }
  assert.equal(server.events.filter((event) => event.startsWith('mail evil')).length, 0, 'what follows is no command');
});

test('LMTP answers a message in chunks once for each recipient', async (t) => {
  const [, client] = await greeted(t, {
    protocol: 'lmtp', encryption: 'implicit',
    handlers: {
      message: async (_, bytes, recipients) => {
        for await (const piece of bytes) assert.ok(piece.length > 0);
        return recipients.map(({ address }) => (address === 'full@example.com' ? makeReply(452, '4.2.2', 'mailbox full') : makeReply(250, '2.6.0', 'stored')));
      },
    },
  });
  await envelope(client, ['a@example.com', 'full@example.com']);
  client.sayRaw('BDAT 3\r\na\r\nBDAT 3 LAST\r\nb\r\n');
  assert.deepEqual([await client.reply(250), await client.reply(250), await client.reply(452)], [['250 2.0.0 3 octets received'], ['250 2.6.0 stored'], ['452 4.2.2 mailbox full']]);
});

test('a handler that takes its time slows the client down and is not taken for silence of the client', async (t) => {
  const [, client] = await greeted(t, { limits: { idleTimeoutMs: 150 }, handlers: { message: takingItsTime('taken') } });
  await envelope(client);
  client.sayRaw('BDAT 3\r\na\r\nBDAT 0 LAST\r\n');
  await client.reply(250);
  await client.reply(/^250 2\.6\.0/);
  await envelope(client);
  client.sayRaw('BDAT 3\r\na');
  await client.reply(/^421 4\.4\.2 /);
});
