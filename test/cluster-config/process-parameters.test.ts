/** The SSL random file is mixed in, never trusted alone, and an unreadable one is named; so is a bundle of authorities, which our TLS connections then trust. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import * as tls from 'node:tls';
import { configOfNode, parseConfig } from '../../cluster-config/load.ts';
import { useProcessParameters } from '../../cluster-config/process-parameters.ts';
import { secretBytes } from '../../shared/base/secret-bytes.ts';
import { mailDate } from '../../shared/mime/mail-date.ts';
import { createAuthority, issueCertificate } from '../../shared/tls/authority.ts';
import { sample, sampleFile } from './sample.ts';

async function folderOf(context: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'waybill-process-'));
  context.after(async () => { await rm(folder, { recursive: true }); });
  return folder;
}

const nothing = { sslRandomFile: undefined, caBundle: undefined };

test('the same random file gives different secrets each time; a device without an end can be the file', async (context) => {
  const file = join(await folderOf(context), 'seed');
  await writeFile(file, 'not random at all');
  for (const sslRandomFile of [file, '/dev/urandom']) {
    await useProcessParameters({ ...nothing, sslRandomFile });
    assert.equal(secretBytes(64).length, 64);
    assert.notDeepEqual(secretBytes(32), secretBytes(32));
  }
});

test('files that are missing, empty or something else are errors that name them', async (context) => {
  const folder = await folderOf(context);
  const [empty, missing, text] = ['empty', 'missing', 'text'].map((name) => join(folder, name));
  await writeFile(empty!, '');
  await writeFile(text!, '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n');
  await assert.rejects(useProcessParameters({ ...nothing, sslRandomFile: empty }), new RegExp(`the SSL random file ${empty!} .*empty`));
  await assert.rejects(useProcessParameters({ ...nothing, sslRandomFile: missing }), new RegExp(`the SSL random file ${missing!} .*ENOENT`));
  await assert.rejects(useProcessParameters({ ...nothing, caBundle: missing }), new RegExp(`caBundle: ${missing!} can't be read`));
  await assert.rejects(useProcessParameters({ ...nothing, caBundle: empty }), /caBundle: .*there is no certificate in it/);
  await assert.rejects(useProcessParameters({ ...nothing, caBundle: text }), new RegExp(`caBundle: ${text!}`));
});

test('a server whose authority is in the bundle is trusted, and was not before', async (context) => {
  const authority = await createAuthority({ commonName: 'Another' });
  const { certificate, key } = await issueCertificate(authority, { subject: { CN: 'localhost' }, dnsNames: ['localhost'], ipAddresses: [], usages: ['server'] });
  const server = tls.createServer({ cert: certificate, key }, (socket) => socket.end()).listen(0, '127.0.0.1');
  server.on('tlsClientError', () => undefined);
  context.after(() => server.close());
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const meet = async (): Promise<void> => {
    const socket = tls.connect({ port, host: '127.0.0.1', servername: 'localhost' });
    await once(socket, 'secureConnect');
    socket.destroy();
  };
  await assert.rejects(meet(), /unable to verify|self.signed/i);
  const caBundle = join(await folderOf(context), 'bundle.pem');
  await writeFile(caBundle, authority.certificate);
  await useProcessParameters({ ...nothing, caBundle });
  await meet();
});

test('a node without a name greets with its host, and where that is an address with the primary domain', () => {
  const nameOf = (host: string): string => configOfNode(parseConfig(sample.replace('host: 10.0.0.1', `host: ${host}`), sampleFile), 'fe1', sampleFile).serverName;
  assert.deepEqual([nameOf('10.0.0.1'), nameOf('"2001:db8::1"'), nameOf('fe1.example.com')], ['example.com', 'example.com', 'fe1.example.com']);
});

test('dates of mail are in the configured time zone, summer time and all; what is no time zone is refused', () => {
  const before = process.env['TZ'];
  try {
    for (const [zone, summer, winter] of [['UTC', 'Wed, 01 Jul 2026 12:00:00 +0000', 'Fri, 01 Jan 2027 00:30:00 +0000'], ['Europe/Vienna', 'Wed, 01 Jul 2026 14:00:00 +0200', 'Fri, 01 Jan 2027 01:30:00 +0100'],
      ['America/St_Johns', 'Wed, 01 Jul 2026 09:30:00 -0230', 'Thu, 31 Dec 2026 21:00:00 -0330']] as const) {
      process.env['TZ'] = zone;
      assert.deepEqual([mailDate(Date.UTC(2026, 6, 1, 12)), mailDate(Date.UTC(2027, 0, 1, 0, 30))], [summer, winter]);
    }
  } finally {
    process.env['TZ'] = before ?? 'UTC';
  }
  assert.throws(() => parseConfig(sample.replace('name: sample', 'name: sample\n  defaultTimeZone: Mars/Olympus'), sampleFile), /waybill\.yaml:4:20: cluster\.defaultTimeZone: is no time zone/);
});
