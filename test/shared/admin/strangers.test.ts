/** What the admin API does about strangers. */
import * as tls from 'node:tls';
import { Writable } from 'node:stream';
import { test } from 'node:test';
import assert from 'node:assert/strict';
import { pino } from 'pino';
import { startAdmin } from '../../../shared/admin/admin-server.ts';
import { createServerTls } from '../../../shared/net/server-tls.ts';
import { freePort } from '../../harness/free-port.ts';
import { noActs } from '../../harness/no-acts.ts';
import { makeCertificates } from '../../harness/certificates.ts';

const { fe1 } = await makeCertificates({ fe1: 'frontend' });

test('nonsense in the place of a path is refused, and fills no log', async (t) => {
  const lines: string[] = [];
  const log = pino({ level: 'info' }, new Writable({ write: (chunk: Buffer, _encoding, done) => done(void lines.push(chunk.toString())) }));
  assert.ok(fe1 !== undefined);
  const port = await freePort();
  const admin = await startAdmin({ host: '127.0.0.1', port, serverTls: createServerTls(fe1), isTrustedNode: () => true, routes: [], acts: noActs, signerOf: () => 'cluster', log });
  t.after(async () => admin.stop(0));
  assert.match(await ask(port, 'GET // HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n'), /^HTTP\/1\.1 400 /);
  assert.deepEqual(lines, []);
});

async function ask(port: number, bytes: string): Promise<string> {
  const socket = tls.connect({ host: '127.0.0.1', port, rejectUnauthorized: false });
  socket.end(bytes);
  let received = '';
  for await (const chunk of socket) received += String(chunk);
  return received;
}
