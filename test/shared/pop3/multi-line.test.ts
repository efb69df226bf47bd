/** Multi-line responses: exact bytes after the client took the dots off, however the message is cut. And the grammar of commands. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { isFailure } from '../../../shared/base/failure.ts';
import { parseCommandLine, parseForwardedClient, parseNumbers } from '../../../shared/pop3/command.ts';
import { MultiLineEncoder } from '../../../shared/pop3/multi-line.ts';

function encode(pieces: readonly Buffer[]): Buffer {
  const encoder = new MultiLineEncoder();
  return Buffer.concat([...pieces.map((piece) => encoder.push(piece)), Buffer.from(encoder.end())]);
}

/** What a client that knows lines by LF alone makes of a response; undefined when it doesn't end where it should. */
function decode(response: string): string | undefined {
  const lines = response.split('\n');
  const end = lines.findIndex((line) => line.replace(/\r$/, '') === '.');
  if (end !== lines.length - 2 || lines.at(-1) !== '') return undefined;
  return lines.slice(0, end).map((line) => `${line.replace(/^\./, '')}\n`).join('');
}

test('a message comes out as it went in, whatever its bytes and pieces; a missing last CRLF is added', () => {
  const shard = fc.constantFrom('.', '..', '\r\n', '\n', '\r', '\r\n.', '\r\n.\r\n', '\n.\n', 'a', 'text.');
  fc.assert(fc.property(fc.array(fc.array(shard, { maxLength: 6 }), { maxLength: 8 }), (shards) => {
    const pieces = shards.map((parts) => Buffer.from(parts.join('')));
    const message = Buffer.concat(pieces).toString('latin1');
    const expected = message === '' || message.endsWith('\r\n') ? message : `${message}\r\n`;
    assert.equal(decode(encode(pieces).toString('latin1')), expected);
  }), { numRuns: 3000 });
});

test('the empty message is a dot alone', () => {
  assert.equal(encode([]).toString(), '.\r\n');
});

const badInput = (thrown: unknown): boolean => isFailure(thrown, 'bad-input');

test('a command line is a word and, behind one space, all the rest', () => {
  assert.deepEqual(parseCommandLine('pass  two  spaces '), { verb: 'PASS', argument: ' two  spaces ' });
  assert.deepEqual(parseCommandLine('QUIT'), { verb: 'QUIT', argument: '' });
  for (const line of ['', ' QUIT', 'STAT\0', 'STAT \r', 'x'.repeat(17), '\x16\x03\x01']) assert.throws(() => parseCommandLine(line), badInput, line);
});

test('numbers are decimal and as many as wanted', () => {
  assert.deepEqual(parseNumbers('1  20', 2, 'TOP'), [1, 20]);
  for (const argument of ['', '1', '1 2 3', '-1 2', '1 x', '1 12345678901']) assert.throws(() => parseNumbers(argument, 2, 'TOP'), badInput, argument);
});

test('XCLIENT names address, port and session; what Dovecot tells besides is passed over, anything else refused', () => {
  const known = { address: '10.0.0.1', port: 1, session: 'own' };
  assert.deepEqual(parseForwardedClient('addr=2001:db8::1 PORT=4711 SESSION=abc234', known), { address: '2001:db8::1', port: 4711, session: 'abc234' });
  assert.deepEqual(parseForwardedClient('ADDR=192.0.2.7', known), { ...known, address: '192.0.2.7' });
  assert.deepEqual(parseForwardedClient('ADDR=IPV6:2001:db8::1 PORT=9 SESSION=fTkqSJ4Z5oHA+/= TTL=4 FORWARD=eA==', known), { address: '2001:db8::1', port: 9, session: 'fTkqSJ4Z5oHA+/=' });
  for (const argument of ['', 'ADDR=example.com', 'LOGIN=x', 'PORT=x', 'SESSION=a"b', 'ADDR']) {
    assert.throws(() => parseForwardedClient(argument, known), badInput, argument);
  }
});
