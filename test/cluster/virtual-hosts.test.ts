/** Certificates by the name that a client asks for (SNI), seen with openssl at every protocol of a running front-end, with TLS from the first byte and STARTTLS. */
import { after, before, describe, test } from 'node:test';
import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { startCluster } from '../harness/cluster.ts';
import type { Cluster } from '../harness/cluster.ts';
import { Dialogue } from '../harness/dialogue.ts';
import { writeCertificates } from '../harness/host-certificates.ts';
import { ImapSession } from '../harness/imap-session.ts';
import { logLine } from '../harness/log-lines.ts';
import { programFile } from '../harness/program-file.ts';
import { run } from '../harness/programs.ts';
import { WebClient } from '../harness/web-client.ts';

let cluster: Cluster;
let hosts: string;

before(async () => {
  hosts = fs.mkdtempSync(path.join(os.tmpdir(), 'waybill-hosts-'));
  await writeCertificates(hosts, { one: { dnsNames: ['one.example.net', 'uno.example.net'] }, wild: { dnsNames: ['*.wild.example'] }, named: { dnsNames: ['named.example.org'] } });
  cluster = await startCluster({
    nodes: ['fe1', 'be1', 'be2'],
    changeConfig: (yaml) => yaml.replace(/^ {2}tls:\n/m, `$&    virtualHosts:
      - { certificate: ${hosts}/one.pem, key: ${hosts}/one.key }
      - { certificate: ${hosts}/wild.pem, key: ${hosts}/wild.key, primaryDomain: other.example }
      - { names: [named.example.org, deep.wild.example], certificate: ${hosts}/named.pem, key: ${hosts}/named.key }
`),
  });
});
after(async () => {
  await cluster.stop();
  fs.rmSync(hosts, { recursive: true, force: true });
});

const protocols = [['imaps'], ['imap', 'imap'], ['pop3s'], ['pop3', 'pop3'], ['submissions'], ['submission', 'smtp'], ['smtp', 'smtp'], ['https']] as const;
const asked = [
  ['one.example.net', 'one'], ['UNO.Example.NET', 'one'], ['mail.wild.example', 'wild'], ['deep.wild.example', 'named'], ['named.example.org', 'named'],
  ['wild.example', 'server'], ['a.b.wild.example', 'server'], ['stranger.example', 'server'], [undefined, 'server'],
] as const;

/** Whose certificate openssl was shown. */
async function shown(service: string, { starttls, name, more = [] }: { readonly starttls: string | undefined; readonly name: string | undefined; readonly more?: readonly string[] }): Promise<string> {
  const { output } = await run('openssl', ['s_client', '-connect', `127.0.0.1:${String(cluster.port('fe1', service))}`, ...(starttls === undefined ? [] : ['-starttls', starttls]), ...(name === undefined ? ['-noservername'] : ['-servername', name]), ...more]);
  return /subject=.*?CN\s*=\s*(\S+)/.exec(output)?.[1] ?? output.slice(0, 300);
}

for (const [service, starttls] of protocols) {
  test(`${service}: each name gets its own certificate, and the others the default one`, async () => {
    const defaultOne = await shown(service, { starttls, name: undefined });
    assert.doesNotMatch(defaultOne, /^(one|wild|named)$/);
    for (const [name, wanted] of asked) {
      assert.equal(await shown(service, { starttls, name }), wanted === 'server' ? defaultOne : wanted, `${String(name)} at ${service}`);
    }
    assert.equal(await shown(service, { starttls, name: 'one.example.net', more: ['-tls1_2'] }), 'one');
  });
}

test('a session can be resumed under a virtual host', async () => {
  const at = `127.0.0.1:${String(cluster.port('fe1', 'imaps'))}`;
  const session = path.join(cluster.folder, 'session.pem');
  await run('openssl', ['s_client', '-connect', at, '-servername', 'one.example.net', '-tls1_2', '-sess_out', session]);
  const again = await run('openssl', ['s_client', '-connect', at, '-servername', 'one.example.net', '-tls1_2', '-sess_in', session]);
  assert.match(again.output, /^Reused, /m);
});

describe('files that change while the node runs', () => {
  const serials = async (): Promise<string[]> => Promise.all(protocols.map(async ([service, starttls]) => serial(service, starttls)));
  const noticed = async (words: string): Promise<void> => {
    const from = cluster.log('fe1').length;
    process.kill(cluster.pid('fe1'), 'SIGHUP'); // it would look by itself within ten seconds
    await logLine(cluster, 'fe1', { words: [words], from, patienceMs: 15_000 });
  };
  const generations = (): number => cluster.log('fe1').split('retires: accepts nothing new').length;

  async function serial(service: string, starttls: string | undefined): Promise<string> {
    const { output } = await run('openssl', ['s_client', '-connect', `127.0.0.1:${String(cluster.port('fe1', service))}`, ...(starttls === undefined ? [] : ['-starttls', starttls]), '-servername', 'one.example.net']);
    return new X509Certificate(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/.exec(output)?.[0] ?? '').serialNumber;
  }

  test('a new certificate is shown by every protocol, and nobody\'s session ends', async () => {
    const session = await ImapSession.logIn(cluster, { node: 'fe1', user: 'alice' });
    const early = await Dialogue.connect({ port: cluster.port('fe1', 'imap') });
    await early.line();
    const [old, before] = [await serials(), generations()];
    await writeCertificates(hosts, { one: { dnsNames: ['one.example.net', 'uno.example.net'] } });
    const { serialNumber } = new X509Certificate(fs.readFileSync(path.join(hosts, 'one.pem')));
    await noticed('changed files are put to use');
    for (const deadline = Date.now() + 30_000; (await serials()).some((each) => each !== serialNumber);) assert.ok(Date.now() < deadline, `${(await serials()).join()} are not all ${serialNumber}`);
    assert.ok(!old.includes(serialNumber));
    assert.equal(generations(), before, 'by the workers that are there');
    await session.ok('NOOP');
    early.say('a STARTTLS');
    await early.expect(/^a OK/);
    await early.startTls();
    session.close();
    early.close();
  });

  test('a key that does not belong to it is reported, and the certificate before stays', async () => {
    const before = await serial('imaps', undefined);
    const good = fs.readFileSync(path.join(hosts, 'one.key'));
    fs.copyFileSync(path.join(hosts, 'named.key'), path.join(hosts, 'one.key'));
    await noticed('one.key is not the key of the certificate');
    assert.equal(await serial('imaps', undefined), before);
    fs.writeFileSync(path.join(hosts, 'one.key'), good);
  });

  test('a new certificate of the node is put to use by new workers, and sessions stay with the old ones', async () => {
    const session = await ImapSession.logIn(cluster, { node: 'fe1', user: 'alice' });
    fs.appendFileSync(path.join(cluster.folder, 'tls', 'fe1.pem'), '\n');
    await noticed('retires: accepts nothing new');
    await session.ok('NOOP');
    session.close();
    await (await ImapSession.logIn(cluster, { node: 'fe1', user: 'alice' })).ok('NOOP');
  });
});

test('WebMail under a virtual host completes a bare name with that host\'s domain, elsewhere with the general one', async () => {
  const port = cluster.port('fe1', 'https');
  const signIn = async (host: string, name: string): Promise<number> =>
    (await new WebClient().ask(`https://127.0.0.1:${String(port)}/api/sign-in`, {
      method: 'POST', headers: { host, 'content-type': 'application/json' }, body: JSON.stringify({ name, password: cluster.password }),
    })).status;
  assert.equal(await signIn(`localhost:${String(port)}`, 'alice'), 200);
  assert.equal(await signIn(`mail.wild.example:${String(port)}`, 'alice'), 401, 'there is no alice@other.example');
  assert.equal(await signIn(`mail.wild.example:${String(port)}`, 'alice@example.com'), 200);
});

describe('certificates that are no good', () => {
  const check = async (...more: string[]): Promise<{ readonly code: number | null; readonly output: string; readonly complaint: string }> =>
    run(process.execPath, [programFile, 'config', 'check', cluster.configFile, ...more]);
  const change = (from: RegExp, to: string): (() => void) => {
    const text = fs.readFileSync(cluster.configFile, 'utf8');
    fs.writeFileSync(cluster.configFile, text.replace(from, to));
    return () => fs.writeFileSync(cluster.configFile, text);
  };

  test('a key of another certificate is refused by the check and by the running node, which names the file and goes on', async () => {
    const restore = change(/one\.key/, 'named.key');
    try {
      const { code, complaint } = await check();
      assert.equal(code, 1);
      assert.match(complaint, /tls\.virtualHosts\[0\]: \S+named\.key is not the key of the certificate in \S+one\.pem/);
      for (const deadline = Date.now() + 60_000; !/named\.key is not the key/.test(cluster.log('fe1')) && Date.now() < deadline;) await new Promise((resolve) => setTimeout(resolve, 200));
      assert.match(cluster.log('fe1'), /named\.key is not the key/);
      assert.equal(await shown('imaps', { starttls: undefined, name: 'one.example.net' }), 'one');
    } finally {
      restore();
    }
  });

  test('a file that is not there is a warning where the node may be elsewhere, and a mistake on the node itself', async () => {
    const restore = change(/one\.pem/, 'none.pem');
    try {
      const elsewhere = await check();
      assert.equal(elsewhere.code, 0);
      assert.match(elsewhere.complaint, /none\.pem can't be read/);
      const here = await check('--node', 'fe1');
      assert.equal(here.code, 1);
      assert.match(here.complaint, /tls\.virtualHosts\[0\]\.certificate: \S+none\.pem can't be read: ENOENT/);
    } finally {
      restore();
    }
  });

  test('text that is no certificate is a mistake; one that has expired, or is for other names, is a warning', async () => {
    fs.writeFileSync(path.join(hosts, 'text.pem'), 'no certificate\n');
    await writeCertificates(hosts, { expired: { dnsNames: ['one.example.net'], validDays: -1 } });
    const restoreText = change(/one\.pem/, 'text.pem');
    const text = await check();
    restoreText();
    assert.equal(text.code, 1);
    assert.match(text.complaint, /text\.pem holds no certificate/);
    const restore = change(/one\.pem, key: (\S+)one\.key/, 'expired.pem, key: $1expired.key, names: [one.example.net, lost.example.net]');
    const expired = await check();
    restore();
    assert.equal(expired.code, 0, expired.complaint);
    assert.match(expired.complaint, /expired\.pem expired on /);
    assert.match(expired.complaint, /expired\.pem is not for lost\.example\.net/);
  });
});
