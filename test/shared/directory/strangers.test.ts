import assert from 'node:assert/strict';
import { once } from 'node:events';
import * as net from 'node:net';
import { after, before, test } from 'node:test';
import { LdapConnection } from '../../../shared/ldap/ldap-connection.ts';
import { ResultError } from '../../../shared/ldap/ldap-errors.ts';
import { startEmbeddedDirectory } from '../../harness/embedded-directory.ts';
import type { EmbeddedDirectory } from '../../harness/embedded-directory.ts';
import { runTool } from '../../harness/ldap-utils.ts';
import { directoryLdif, peoplesPassword } from '../../harness/people.ts';

let directory: EmbeddedDirectory;
before(async () => {
  directory = await startEmbeddedDirectory({ ldif: directoryLdif(Array.from({ length: 600 }, (_, index) => ({ name: `user${String(index)}` }))) });
});
after(async () => { await directory.stop(); });

const connect = async (): Promise<LdapConnection> =>
  await LdapConnection.open({ uri: directory.uri, startTls: 'no', ca: undefined, timeoutMs: 5_000 });

/** Sends bytes and collects what comes back until it is enough, the other side ends the connection, or for a moment. */
async function exchange(bytes: Buffer, waitMs: number, enoughBytes = Infinity): Promise<{ readonly answer: Buffer; readonly ended: 'yes' | 'no' }> {
  const socket = net.connect(directory.port, '127.0.0.1');
  const pieces: Buffer[] = [];
  let received = 0;
  socket.on('data', (data: Buffer) => {
    pieces.push(data);
    received += data.length;
    if (received >= enoughBytes) socket.destroy();
  });
  socket.on('error', () => undefined);
  await once(socket, 'connect');
  socket.write(bytes);
  const ended = await Promise.race([once(socket, 'close').then(() => 'yes' as const), new Promise<'no'>((resolve) => { setTimeout(resolve, waitMs, 'no'); })]);
  socket.destroy();
  return { answer: Buffer.concat(pieces), ended };
}

const noticeOfDisconnection = /1\.3\.6\.1\.4\.1\.1466\.20036/;
const stillServes = async (): Promise<void> => { assert.equal((await runTool('ldapwhoami', { uri: directory.uri })).code, 0); };

for (const [title, bytes] of [
  ['another protocol', Buffer.from('GET / HTTP/1.1\r\n\r\n')],
  ['a message above the limit', Buffer.from('3084000f4240', 'hex')],
  ['an indefinite length', Buffer.from('3080', 'hex')],
  ['an operation that does not exist', Buffer.from('30050201017f00', 'hex')],
] as const) {
  test(`${title} is answered with a notice of disconnection`, async () => {
    const { answer, ended } = await exchange(bytes, 2_000);
    assert.match(answer.toString('latin1'), noticeOfDisconnection);
    assert.equal(ended, 'yes');
    await stillServes();
  });
}

test('a bind whose password is cut off is a protocol error, and no fault of the server', async () => {
  const { answer } = await exchange(Buffer.from('300c020101600702010304008005', 'hex'), 2_000, 14);
  assert.match(answer.toString('hex'), /^30..02010161..0a0102/);
  await stillServes();
});

test('random bytes never end the process', async () => {
  for (let round = 0; round < 60; round += 1) {
    const body = Buffer.from(Array.from({ length: round * 3 }, () => Math.floor(Math.random() * 256)));
    const operation = [0x60, 0x63, 0x66, 0x68, 0x4a, 0x6c, 0x6e, 0x77, 0x42, 0x50][round % 10] ?? 0;
    const inner = Buffer.concat([Buffer.from([2, 1, 1, operation, body.length < 128 ? body.length : 5]), body]);
    await exchange(Buffer.concat([Buffer.from([0x30, 0x82, inner.length >> 8, inner.length & 255]), inner]), 5);
  }
  await stillServes();
});

test('a filter nested thousands deep is refused and harms nobody', async () => {
  let filter: Buffer = Buffer.from('8702636e', 'hex');
  const wrap = (tag: number, content: Buffer): Buffer => {
    const header = Buffer.from([tag, 0x83, content.length >> 16, (content.length >> 8) & 255, content.length & 255]);
    return Buffer.concat([header, content]);
  };
  for (let depth = 0; depth < 10_000; depth += 1) filter = wrap(0xa2, filter);
  const operation = wrap(0x63, Buffer.concat([Buffer.from('04000a01020a0100020100020100010100', 'hex'), filter, Buffer.from('3000', 'hex')]));
  await exchange(wrap(0x30, Buffer.concat([Buffer.from('020101', 'hex'), operation])), 300);
  await stillServes();
});

const whoAmIAnswerBytes = 17;

test('many requests sent at once on one connection are all answered, in order', async () => {
  const whoAmI = (id: number): Buffer => Buffer.concat([Buffer.from([0x30, 0x1f, 2, 2, id >> 8, id & 255, 0x77, 0x19, 0x80, 0x17]), Buffer.from('1.3.6.1.4.1.4203.1.11.3')]);
  const { answer } = await exchange(Buffer.concat(Array.from({ length: 5_000 }, (_, index) => whoAmI(index + 256))), 5_000, 5_000 * whoAmIAnswerBytes);
  const ids: number[] = [];
  for (let position = 0; position < answer.length; position += 2 + (answer[position + 1] ?? 0)) ids.push(answer.readUInt16BE(position + 4));
  assert.deepEqual(ids, Array.from({ length: 5_000 }, (_, index) => index + 256));
});

test('strangers and users get at most 500 entries, the administrator all', async () => {
  const parameters = ['-LLL', '-b', 'dc=example,dc=com', '(uid=*)', '1.1'];
  const stranger = await runTool('ldapsearch', { uri: directory.uri, parameters });
  assert.equal(stranger.code, 4);
  assert.equal(stranger.output.match(/^dn:/gm)?.length, 500);
  const admin = await runTool('ldapsearch', { uri: directory.uri, as: [directory.adminDn, directory.adminPassword], parameters });
  assert.equal(admin.output.match(/^dn:/gm)?.length, 600);
});

test('refused binds come later and later, right ones at once', async () => {
  const connection = await connect();
  const dn = 'uid=user1,ou=people,dc=example,dc=com';
  const timed = async (password: string): Promise<number> => {
    const startedAt = performance.now();
    await connection.bind(dn, password).catch((error: unknown) => { assert.ok(error instanceof ResultError && error.resultCode === 49); });
    return performance.now() - startedAt;
  };
  for (let count = 0; count < 5; count += 1) await timed('wrong');
  assert.ok(await timed('wrong') > 240);
  assert.ok(await timed(peoplesPassword) < 150);
  assert.ok(await timed('wrong') < 150, 'the count began anew');
  connection.close();
});

test('after a bind that fails the connection is nobody\'s', async () => {
  const connection = await connect();
  await connection.bind(directory.adminDn, directory.adminPassword);
  const passwords = async (): Promise<number> => {
    const { entries } = await connection.search({
      base: 'dc=example,dc=com', scope: 'sub', filter: { kind: 'equal', attribute: 'uid', value: 'user1' }, attributes: ['userPassword'], sizeLimit: 0,
    });
    return entries[0]?.attributes.size ?? -1;
  };
  assert.equal(await passwords(), 1);
  await assert.rejects(connection.bind(directory.adminDn, 'wrong'), ResultError);
  assert.equal(await passwords(), 0);
  await connection.bind(directory.adminDn, directory.adminPassword);
  await connection.bind('', '');
  assert.equal(await passwords(), 0, 'nor after an anonymous bind');
  connection.close();
});

test('a SASL bind is told that it isn\'t offered', async () => {
  const body = Buffer.concat([Buffer.from([2, 1, 3, 4, 0, 0xa3, 7, 4, 5]), Buffer.from('PLAIN')]);
  const message = Buffer.concat([Buffer.from([0x30, body.length + 5, 2, 1, 1, 0x60, body.length]), body]);
  const { answer } = await exchange(message, 200);
  assert.equal(answer[9], 7, 'authMethodNotSupported');
});
