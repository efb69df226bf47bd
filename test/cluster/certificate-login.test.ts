/**
 * Users who log in by a certificate (SASL EXTERNAL): certificates made by openssl, with curl as the mail program, at a cluster on slapd; and those
 * of a domain without directory also by a token.
 */
import { after, before, test } from 'node:test';
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { generateKeyPairSync } from 'node:crypto';
import * as fs from 'node:fs';
import * as path from 'node:path';
import * as tls from 'node:tls';
import { bearerToken, jsonWebKey } from '../harness/bearer-token.ts';
import { startCluster } from '../harness/cluster.ts';
import type { Cluster } from '../harness/cluster.ts';
import { logLine } from '../harness/log-lines.ts';
import { programFile } from '../harness/program-file.ts';
import { run } from '../harness/programs.ts';

let cluster: Cluster;
const issuerKey = generateKeyPairSync('ed25519');
const at = (name: string): string => path.join(cluster.folder, 'users', name);
const openssl = (...words: string[]): void => { execFileSync('openssl', words, { stdio: 'pipe', cwd: path.join(cluster.folder, 'users') }); };

interface Wish { readonly by?: string; readonly subject: string; readonly extensions?: string; readonly days?: number }

/** A certificate as an administrator makes it; `by` an authority of that name. */
function issue(name: string, { by = 'authority', subject, extensions = '', days = 2 }: Wish): void {
  openssl('req', '-new', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-keyout', `${name}.key`, '-out', `${name}.csr`, '-subj', subject);
  fs.writeFileSync(at(`${name}.ext`), `extendedKeyUsage=clientAuth\n${extensions}\n`);
  openssl('x509', '-req', '-in', `${name}.csr`, '-CA', `${by}.pem`, '-CAkey', `${by}.key`, '-CAcreateserial', '-days', String(days), '-extfile', `${name}.ext`, '-out', `${name}.pem`);
}

function makeAuthority(name: string): void {
  openssl('req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-keyout', `${name}.key`, '-out', `${name}.pem`, '-days', '2', '-subj', `/CN=${name}`);
}

/** Revokes by an openssl database, as `openssl ca` keeps it. */
function revoke(names: readonly string[]): void {
  fs.writeFileSync(at('index.txt'), '');
  fs.writeFileSync(at('ca.conf'), '[ca]\ndefault_ca=own\n[own]\ndatabase=index.txt\ndefault_md=sha256\ndefault_crl_days=2\n');
  for (const name of names) openssl('ca', '-config', 'ca.conf', '-cert', 'authority.pem', '-keyfile', 'authority.key', '-revoke', `${name}.pem`);
  openssl('ca', '-config', 'ca.conf', '-cert', 'authority.pem', '-keyfile', 'authority.key', '-gencrl', '-out', 'crl.pem');
}

before(async () => {
  cluster = await startCluster({
    directory: 'slapd', nodes: [],
    changeConfig: (yaml) => yaml.replace('  tls:\n', '  tls:\n    userCertificates: { authority: users/authority.pem, revocationList: users/crl.pem, addressFrom: [subjectAltName, emailAddress] }\n')
      .replace(/( {2}userMaps:\n.*), (connector: directory)/, '  domains: [bare.example]\n  routing: { mappingHost: be1 }\n$1, domains: [example.com], $2').replace('  userMaps:\n', '  oauth: { issuers: [{ issuer: "https://login", audience: mail, keysFile: users/keys.json }] }\n  catchAll: { example.com: alice@example.com }\n  userMaps:\n'),
  });
  fs.mkdirSync(path.join(cluster.folder, 'users'));
  fs.writeFileSync(at('keys.json'), JSON.stringify({ keys: [jsonWebKey(issuerKey.publicKey, 'd')] }));
  makeAuthority('authority');
  makeAuthority('stranger');
  issue('alice', { subject: '/CN=Alice', extensions: 'subjectAltName=email:alice@example.com,email:bob@example.com' });
  issue('carol', { subject: '/CN=Carol/emailAddress=carol@example.com' });
  issue('revoked', { subject: '/CN=x', extensions: 'subjectAltName=email:alice@example.com' });
  issue('forged', { by: 'stranger', subject: '/CN=x', extensions: 'subjectAltName=email:alice@example.com' });
  issue('nobody', { subject: '/CN=x', extensions: 'subjectAltName=email:nobody@example.com' });
  issue('named', { subject: '/CN=alice@example.com', extensions: 'subjectAltName=DNS:alice.example.com' });
  for (const name of ['ben', 'ghost']) issue(name, { subject: '/CN=x', extensions: `subjectAltName=email:${name}@bare.example` });
  issue('fe1', { subject: '/O=waybill-demo/OU=frontend/CN=fe1', extensions: 'subjectAltName=email:alice@example.com' });
  revoke(['revoked']);
  await Promise.all((['be1', 'be2', 'fe1'] as const).map(async (node) => cluster.startNode(node)));
});
after(async () => cluster.stop());

interface Talk { readonly said: readonly string[]; readonly say: (line: string) => Promise<string> }

/** A client with that certificate on an implicit TLS port; `say` answers the next line. */
async function connect(service: 'imaps' | 'pop3s' | 'submissions', certificate?: { readonly certificate: string; readonly key: string }, session?: Buffer): Promise<Talk & { readonly socket: tls.TLSSocket; readonly session: () => Buffer | undefined }> {
  const own = certificate === undefined ? {} : { cert: fs.readFileSync(certificate.certificate), key: fs.readFileSync(certificate.key) };
  let ticket: Buffer | undefined;
  const socket = tls.connect({ port: cluster.port('fe1', service), host: '127.0.0.1', servername: 'localhost', ca: fs.readFileSync(cluster.authorityFile), ...own, ...(session === undefined ? {} : { session }) });
  socket.on('session', (fresh: Buffer) => { ticket = fresh; });
  socket.on('error', () => undefined);
  let text = '';
  const said: string[] = [];
  const line = async (): Promise<string> => {
    const deadline = Date.now() + 30_000;
    while (!text.includes('\r\n')) {
      assert.ok(Date.now() < deadline && !socket.destroyed, `no line; so far ${said.join(' | ')}`);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    const end = text.indexOf('\r\n');
    const one = text.slice(0, end);
    text = text.slice(end + 2);
    said.push(one);
    return one;
  };
  socket.on('data', (data: Buffer) => { text += data.toString('latin1'); });
  await line();
  return { said, socket, session: () => ticket, say: async (words) => { socket.write(`${words}\r\n`); return line(); } };
}

const pair = (name: string): { certificate: string; key: string } => ({ certificate: at(`${name}.pem`), key: at(`${name}.key`) });
const wish = (name: string): string => (name === '' ? '=' : Buffer.from(name).toString('base64'));

async function external(name: string, as = ''): Promise<string> {
  const client = await connect('imaps', pair(name));
  const answer = await client.say(`a AUTHENTICATE EXTERNAL ${wish(as)}`);
  client.socket.destroy();
  return answer;
}

test('EXTERNAL is offered to who shows a good certificate, and to nobody else', async () => {
  const offered = async (certificate?: { certificate: string; key: string }): Promise<boolean> => {
    const client = await connect('imaps', certificate);
    client.socket.destroy();
    return (client.said[0] ?? '').includes('AUTH=EXTERNAL');
  };
  assert.equal(await offered(pair('alice')), true);
  assert.equal(await offered(), false);
  assert.equal(await offered(pair('forged')), false, 'of another authority');
  assert.equal(await offered(pair('revoked')), false);
  const node = { certificate: path.join(cluster.folder, 'tls', 'fe1.pem'), key: path.join(cluster.folder, 'tls', 'fe1-key.pem') };
  assert.equal(await offered(node), false, 'a node is no user');
});

test('IMAP, POP3 and submission take the address of the certificate', async () => {
  assert.match(await external('alice'), /^a OK/);
  assert.match(await external('carol'), /^a OK/, 'by the emailAddress of the subject');
  const pop3 = await connect('pop3s', pair('alice'));
  assert.match(await pop3.say('AUTH EXTERNAL ='), /^\+OK maildrop/);
  pop3.socket.destroy();
  const smtp = await connect('submissions', pair('alice'));
  assert.match(await smtp.say(`HELO laptop`), /^250/);
  assert.match(await smtp.say('AUTH EXTERNAL ='), /^235/);
  assert.match(await smtp.say('MAIL FROM:<alice@example.com>'), /^250/);
  smtp.socket.destroy();
});

test('curl sends by a certificate, and a mail program logs in by STARTTLS', async () => {
  const message = at('message');
  fs.writeFileSync(message, 'Subject: by certificate\r\nFrom: alice@example.com\r\n\r\nHello\r\n');
  for (const service of ['submissions', 'submission'] as const) {
    const sent = await run('curl', [
      '--silent', '--show-error', '--cacert', cluster.authorityFile, '--ssl-reqd', '--cert', at('alice.pem'), '--key', at('alice.key'), '--user', 'alice@example.com:', '--login-options', 'AUTH=EXTERNAL',
      '--mail-from', 'alice@example.com', '--mail-rcpt', 'bob@example.com', '--upload-file', message, `${service === 'submissions' ? 'smtps' : 'smtp'}://localhost:${String(cluster.port('fe1', service))}/`,
    ]);
    assert.equal(sent.code, 0, `${service}: ${sent.complaint}`);
  }
  for (const url of [`imap://localhost:${String(cluster.port('fe1', 'imap'))}/INBOX`, `pop3://localhost:${String(cluster.port('fe1', 'pop3'))}/`]) {
    const words = (name: string): string[] => ['--silent', '--show-error', '--cacert', cluster.authorityFile, '--ssl-reqd', '--cert', at(`${name}.pem`), '--key', at(`${name}.key`), '--user', 'alice@example.com:', '--login-options', 'AUTH=EXTERNAL', url];
    const read = await run('curl', words('alice'));
    assert.equal(read.code, 0, `${url}: ${read.complaint}`);
    for (const bad of ['forged', 'revoked']) assert.notEqual((await run('curl', words(bad))).code, 0, `${url} ${bad}`);
  }
});

test('a wish must be an account of the certificate', async () => {
  assert.match(await external('alice', 'bob@example.com'), /^a OK/, 'its second address');
  assert.match(await external('alice', 'bob'), /^a OK/);
  assert.match(await external('alice', 'carol@example.com'), /^a NO \[AUTHENTICATIONFAILED\]/);
  assert.match(await external('carol', 'alice@example.com'), /^a NO \[AUTHENTICATIONFAILED\]/);
});

test('an address that only a catch-all takes logs nobody in, and the common name counts only where that is wanted', async () => {
  assert.match(await external('nobody'), /^a NO \[AUTHENTICATIONFAILED\]/);
  assert.match(await external('named'), /^a NO \[AUTHENTICATIONFAILED\]/);
});

async function talk(service: 'imaps' | 'pop3s' | 'submissions', lines: readonly string[], certificate?: string): Promise<string> {
  const client = await connect(service, certificate === undefined ? undefined : pair(certificate));
  let answer = '';
  for (const line of lines) answer = await client.say(line);
  client.socket.destroy();
  return answer;
}

test('an account of a domain without directory logs in by a certificate, too; a name that nobody made does not', async () => {
  const made = await run(process.execPath, [programFile, 'account', 'add', 'ben@bare.example', '--stdin', '--config', cluster.configFile], 'secret of ben\n');
  assert.equal(made.code, 0, made.complaint);
  assert.match(await external('ben'), /^a OK/);
  assert.match(await talk('pop3s', ['AUTH EXTERNAL ='], 'ben'), /^\+OK maildrop/);
  assert.match(await talk('submissions', ['HELO laptop', 'AUTH EXTERNAL =', 'MAIL FROM:<ben@bare.example>'], 'ben'), /^250/);
  assert.match(await external('ghost'), /^a NO \[AUTHENTICATIONFAILED\]/);
  assert.match(await talk('pop3s', ['AUTH EXTERNAL ='], 'ghost'), /^-ERR \[AUTH\]/);
  assert.match(await talk('submissions', ['HELO laptop', 'AUTH EXTERNAL =', 'MAIL FROM:<ghost@bare.example>'], 'ghost'), /^5/);
});

test('the same by a token, in both forms; not by one of somebody else, and not for a name that nobody made', async () => {
  const token = (email: string, key = issuerKey.privateKey): string => bearerToken({ header: { alg: 'EdDSA', kid: 'd' }, claims: { iss: 'https://login', aud: 'mail', exp: Math.floor(Date.now() / 1000) + 300, email }, key });
  const responses = (address: string, bearer: string): readonly (readonly [string, string])[] => [
    ['OAUTHBEARER', `n,a=${address},\x01auth=Bearer ${bearer}\x01\x01`], ['XOAUTH2', `user=${address}\x01auth=Bearer ${bearer}\x01\x01`],
  ];
  for (const [mechanism, response] of responses('ben@bare.example', token('ben@bare.example'))) {
    const words = `${mechanism} ${Buffer.from(response).toString('base64')}`;
    assert.match(await talk('imaps', [`a AUTHENTICATE ${words}`]), /^a OK/, mechanism);
    assert.match(await talk('pop3s', [`AUTH ${words}`]), /^\+OK maildrop/, mechanism);
    assert.match(await talk('submissions', ['HELO laptop', `AUTH ${words}`, 'MAIL FROM:<ben@bare.example>']), /^250/, mechanism);
  }
  const refusals = [ // a bad token is told why first (RFC 7628 section 3.2.3)
    ['ben@bare.example', token('ben@bare.example', generateKeyPairSync('ed25519').privateKey), ['AQ==']],
    ['ben@bare.example', token('alice@example.com'), ['AQ==']], ['ghost@bare.example', token('ghost@bare.example'), []],
  ] as const;
  for (const [address, bearer, then] of refusals) {
    for (const [mechanism, response] of responses(address, bearer)) {
      const refused = await talk('imaps', [`a AUTHENTICATE ${mechanism} ${Buffer.from(response).toString('base64')}`, ...then]);
      assert.match(refused, /^a NO \[AUTHENTICATIONFAILED\]/, `${mechanism} ${address}`);
    }
  }
});

test('a user\'s certificate that bears a node\'s name opens no trusted listener', async () => {
  const own = { cert: fs.readFileSync(at('fe1.pem')), key: fs.readFileSync(at('fe1.key')) };
  const socket = tls.connect({ port: cluster.port('be1', 'imaps'), host: '127.0.0.1', rejectUnauthorized: false, ...own });
  socket.on('error', () => undefined);
  socket.write(`a AUTHENTICATE EXTERNAL ${wish('alice@example.com')}\r\n`);
  let text = '';
  socket.on('data', (data: Buffer) => { text += data.toString('latin1'); });
  for (let tries = 0; tries < 100 && !/^a /m.test(text) && !socket.destroyed; tries += 1) await new Promise((resolve) => setTimeout(resolve, 50));
  assert.doesNotMatch(text, /^a OK|AUTH=EXTERNAL/m);
  socket.destroy();
});

test('a session that began without a certificate, or before the certificate was revoked, is not resumed into a login', async () => {
  const without = await connect('imaps');
  await without.say('a NOOP');
  const resumed = await connect('imaps', undefined, without.session());
  assert.equal(resumed.socket.isSessionReused(), true);
  assert.doesNotMatch(resumed.said[0] ?? '', /AUTH=EXTERNAL/);
  for (const { socket } of [without, resumed]) socket.destroy();

  const before = await connect('imaps', pair('carol'));
  await before.say('a NOOP');
  const ticket = before.session();
  before.socket.destroy();
  revoke(['revoked', 'carol']);
  process.kill(cluster.pid('fe1'), 'SIGHUP');
  await logLine(cluster, 'fe1', { words: ['changed files are put to use', 'crl.pem'], patienceMs: 15_000 });
  let after = await connect('imaps', pair('carol'), ticket);
  // Each worker takes up the new list by itself, a moment after the supervisor has checked it.
  for (let tries = 0; tries < 100 && after.said[0]?.includes('AUTH=EXTERNAL') === true; tries += 1) {
    after.socket.destroy();
    after = await connect('imaps', pair('carol'), ticket);
  }
  assert.doesNotMatch(after.said[0] ?? '', /AUTH=EXTERNAL/);
  assert.match(await after.say('a AUTHENTICATE EXTERNAL ='), /^a NO/);
  after.socket.destroy();
});
