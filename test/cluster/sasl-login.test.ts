/** Logging in by SCRAM and by tokens, with GNU SASL and curl as the mail programs, at a cluster whose directory keeps keys and clear text. */
import { after, before, test } from 'node:test';
import assert from 'node:assert/strict';
import { createHmac, generateKeyPairSync } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { bearerToken, jsonWebKey as jwk } from '../harness/bearer-token.ts';
import { startCluster } from '../harness/cluster.ts';
import type { Cluster, NodeName } from '../harness/cluster.ts';
import { Dialogue } from '../harness/dialogue.ts';
import { runTool } from '../harness/ldap-utils.ts';
import { run } from '../harness/programs.ts';
import type { ProgramResult } from '../harness/programs.ts';
import { makeCertificates } from '../harness/certificates.ts';
import { startRsyslog } from '../harness/rsyslog.ts';
import type { Rsyslog } from '../harness/rsyslog.ts';
import { clientFinal } from '../harness/scram-client.ts';
import { slapdBase } from '../harness/slapd.ts';
import { crashModule, secretsSuite } from './secrets-suite.ts';

const issuer = 'https://login.example.com';
const keys = { rsa: generateKeyPairSync('rsa', { modulusLength: 2048 }), ec: generateKeyPairSync('ec', { namedCurve: 'P-256' }), ed: generateKeyPairSync('ed25519') };
const stranger = generateKeyPairSync('ed25519');
let cluster: Cluster;
let folder: string;
let rsyslog: Rsyslog;
let strangers = 0;

/** Each attempt that may fail comes from elsewhere, so that the next one needn't wait for it. */
const elsewhere = (): string => `127.66.7.${String((strangers += 1))}`;

before(async () => {
  folder = fs.mkdtempSync(path.join(os.tmpdir(), 'waybill-sasl-'));
  fs.writeFileSync(path.join(folder, 'keys.json'), JSON.stringify({ keys: [jwk(keys.rsa.publicKey, 'r'), jwk(keys.ec.publicKey, 'e'), jwk(keys.ed.publicKey, 'd')] }));
  fs.writeFileSync(path.join(folder, 'admin'), slapdBase.adminPassword);
  fs.writeFileSync(path.join(folder, 'crash.mjs'), crashModule);
  const { be1 } = await makeCertificates({ be1: 'backend' });
  assert.ok(be1 !== undefined);
  rsyslog = await startRsyslog(be1);
  cluster = await startCluster({
    directory: 'slapd', nodes: ['fe1', 'fe2', 'be1', 'be2'],
    wrap: { fe1: ([node = '', ...rest]) => [node, '--import', path.join(folder, 'crash.mjs'), ...rest] },
    changeConfig: (yaml) => yaml
      .replace(/bindDn: cn=waybill.*\n(\s*)bindPassword: .*\n/, `bindDn: "${slapdBase.adminDn}"\n$1bindPassword: { file: "${folder}/admin" }\n`)
      .replace('type: ldapBind, connector: directory', 'type: ldapPassword, connector: directory, scram: [SCRAM-SHA-256, SCRAM-SHA-1]')
      .replace(/^ {6}write: .*$/m, `      write: { uri: "${/uris: \["([^"]+)"\]/.exec(yaml)?.[1] ?? ''}", bindDn: "${slapdBase.adminDn}", bindPassword: { file: "${folder}/admin" } }`)
      .replace(/ {2}fe2:[^]*? {6}pop3Proxy:\n/, '$&        secureConnAuthTypes: [PLAIN, SCRAM-SHA-256]\n        plainConnAuthTypes: [SCRAM-SHA-256, PLAIN]\n')
      .replace('  drainSeconds: 5\n', '  drainSeconds: 5\n  log: { level: protocol }\n')
      .replace('serverName: be2.example.com', `serverName: be2.example.com\n    log: { type: system, syslog: { address: "127.0.0.1:${String(rsyslog.ports.tcp)}", protocol: tcp } }`)
      .replace('  userMaps:\n', `  oauth: { issuers: [{ issuer: "${issuer}", audience: mail, keysFile: "${folder}/keys.json", requiredScope: mail.read }] }\n  userMaps:\n`),
  });
  // As an administrator would: the keys of bob are made by a tool of somebody else, and his password is nowhere.
  const made = await run('gsasl', ['--mkpasswd', '--mechanism', 'SCRAM-SHA-256', '--password', 'bobs own', '--iteration-count', '4096']);
  const { uri, adminDn, adminPassword } = cluster.ldap;
  const changed = await runTool('ldapmodify', {
    uri, as: [adminDn, adminPassword], input: `dn: uid=bob,ou=people,dc=example,dc=com\nchangetype: modify\nreplace: userPassword\nuserPassword: ${made.output.trim()}\n`,
  });
  assert.equal(changed.code, 0, changed.complaint);
});
after(async () => {
  await cluster.stop();
  await rsyslog.stop();
  fs.rmSync(folder, { recursive: true, force: true });
});

const offered = 'SCRAM-SHA-256-PLUS SCRAM-SHA-1-PLUS SCRAM-SHA-256 SCRAM-SHA-1 OAUTHBEARER XOAUTH2 PLAIN LOGIN';

test('each protocol announces under TLS what can be verified, and without TLS nothing', async () => {
  const imap = await Dialogue.connect({ port: cluster.port('fe1', 'imap') });
  assert.match(await imap.line(), /^\* OK \[CAPABILITY (?!.* AUTH=).*LOGINDISABLED/);
  imap.close();
  const imaps = await Dialogue.connect({ port: cluster.port('fe1', 'imaps'), tls: 'implicit' });
  const greeting = await imaps.line();
  assert.deepEqual([...greeting.matchAll(/ AUTH=([^\s\]]+)/g)].map(([, name]) => name).join(' '), offered);
  imaps.close();
  const pop3s = await Dialogue.connect({ port: cluster.port('fe1', 'pop3s'), tls: 'implicit' });
  await pop3s.line();
  pop3s.say('CAPA');
  assert.equal((await pop3s.until(/^SASL (.*)$/))[1], offered);
  pop3s.close();
  const smtp = await Dialogue.connect({ port: cluster.port('fe1', 'submission') });
  await smtp.reply(220);
  assert.ok(!(await smtp.ask('EHLO laptop', 250)).some((line) => line.includes('AUTH')));
  await smtp.ask('STARTTLS', 220);
  await smtp.startTls();
  assert.ok((await smtp.ask('EHLO laptop', 250)).some((line) => line === `250-AUTH ${offered}` || line === `250 AUTH ${offered}`));
  smtp.close();
});

test('a service offers on TLS and without it what its parameters say; without TLS POP3 logs in by SCRAM, and no password travels', async () => {
  for (const [service, tls, types] of [['pop3s', 'implicit', 'SCRAM-SHA-256-PLUS SCRAM-SHA-256 PLAIN'], ['pop3', 'none', 'SCRAM-SHA-256']] as const) {
    const pop3 = await Dialogue.connect({ port: cluster.port('fe2', service), tls, from: elsewhere() });
    await pop3.line();
    pop3.say('CAPA');
    assert.equal((await pop3.until(/^SASL (.*)$/))[1], types);
    await pop3.until(/^\.$/);
    for (const unwanted of ['SCRAM-SHA-1', 'OAUTHBEARER', ...(tls === 'none' ? ['PLAIN'] : [])]) {
      pop3.say(`AUTH ${unwanted} =`);
      await pop3.expect(/^-ERR/);
    }
    const first = 'n=alice,r=abc';
    pop3.say(`AUTH SCRAM-SHA-256 ${Buffer.from(`n,,${first}`).toString('base64')}`);
    const serverFirst = Buffer.from((await pop3.line()).slice(2), 'base64').toString();
    pop3.say(clientFinal({ mechanism: 'SCRAM-SHA-256', password: cluster.password, bare: first, serverFirst, binding: Buffer.from('n,,') }).toString('base64'));
    assert.match(Buffer.from((await pop3.line()).slice(2), 'base64').toString(), /^v=/);
    pop3.say('');
    await pop3.expect(/^\+OK/);
    pop3.say('STAT');
    await pop3.expect(/^\+OK/);
    pop3.close();
  }
});

async function gsasl(protocol: 'imap' | 'smtp', how: { mechanism: string; user: string; password: string; words?: string[] }): Promise<ProgramResult> {
  const port = cluster.port('fe1', protocol === 'imap' ? 'imap' : 'submission');
  return run('gsasl', [
    `--${protocol}`, '--connect', `localhost:${String(port)}`, '--mechanism', how.mechanism, '--authentication-id', how.user, '--authorization-id', '', '--password', how.password,
    `--x509-ca-file=${cluster.authorityFile}`, '--verbose', ...(how.words ?? []),
  ]);
}

for (const protocol of ['imap', 'smtp'] as const) {
  test(`GNU SASL logs in by SCRAM over ${protocol}, with channel binding and without`, async () => {
    for (const mechanism of ['SCRAM-SHA-256', 'SCRAM-SHA-1']) {
      for (const [variant, words] of [[mechanism, ['--no-cb']], [`${mechanism}-PLUS`, []]] as const) {
        const result = await gsasl(protocol, { mechanism: variant, user: 'alice@example.com', password: cluster.password, words: [...words] });
        assert.equal(result.code, 0, `${variant}\n${result.output}${result.complaint}`);
      }
    }
    for (const mechanism of ['SCRAM-SHA-256', 'SCRAM-SHA-256-PLUS']) {
      const result = await gsasl(protocol, { mechanism, user: 'bob', password: 'bobs own', words: mechanism.endsWith('PLUS') ? [] : ['--no-cb'] });
      assert.equal(result.code, 0, result.output + result.complaint);
    }
  });
}

test('passwords that are kept as SCRAM keys only serve mechanisms that send them, too', async () => {
  const { code, complaint } = await curl('imaps', ['--user', 'bob:bobs own', '--login-options', 'AUTH=PLAIN']);
  assert.equal(code, 0, complaint);
  const wrong = await curl('imaps', ['--user', 'bob:others', '--login-options', 'AUTH=PLAIN', '--interface', elsewhere()]);
  assert.equal(wrong.code, 67, wrong.complaint);
});

/** Says AUTHENTICATE with that first message, and reads the answer. */
async function firstAnswer(node: NodeName, message: string): Promise<string> {
  const imap = await Dialogue.connect({ port: cluster.port(node, 'imaps'), tls: 'implicit', from: elsewhere() });
  await imap.line();
  imap.say(`a AUTHENTICATE SCRAM-SHA-256 ${Buffer.from(message).toString('base64')}`);
  const line = await imap.line();
  imap.close();
  return line.startsWith('+ ') ? Buffer.from(line.slice(2), 'base64').toString() : line;
}

const saltAndCount = (message: string): string => message.replace(/^r=[^,]+,/, '');

test('who isn\'t there is answered like who is: one salt for a name, everywhere, and one way to be refused', async () => {
  const unknown = await firstAnswer('fe1', 'n,,n=nobody,r=abc');
  assert.match(unknown, /^r=abc[^,]+,s=[A-Za-z0-9+/]{22}==,i=4096$/);
  for (const [node, name] of [['fe1', 'nobody'], ['fe2', 'nobody'], ['fe2', 'Nobody@example.com']] as const) {
    assert.equal(saltAndCount(await firstAnswer(node, `n,,n=${name},r=abc`)), saltAndCount(unknown));
  }
  assert.notEqual(saltAndCount(await firstAnswer('fe1', 'n,,n=nemo,r=abc')), saltAndCount(unknown));
  const known = await firstAnswer('fe1', 'n,,n=alice,r=abc');
  assert.equal(known.length, unknown.length);
  assert.equal(saltAndCount(await firstAnswer('fe2', 'n,,n=alice@example.com,r=abc')), saltAndCount(known));
  const refusals = await Promise.all(['alice', 'nobody', 'bob'].map(async (name) => {
    const imap = await Dialogue.connect({ port: cluster.port('fe1', 'imaps'), tls: 'implicit', from: elsewhere() });
    await imap.line();
    imap.say(`a AUTHENTICATE SCRAM-SHA-256 ${Buffer.from(`n,,n=${name},r=abc`).toString('base64')}`);
    const nonce = /^r=([^,]+)/.exec(Buffer.from((await imap.line()).slice(2), 'base64').toString())?.[1] ?? '';
    imap.say(Buffer.from(`c=biws,r=${nonce},p=${createHmac('sha256', 'x').update(name).digest('base64')}`).toString('base64'));
    const answer = await imap.line();
    imap.close();
    return answer;
  }));
  assert.deepEqual(new Set(refusals).size, 1, refusals.join('\n'));
  assert.match(refusals[0] ?? '', /^a NO \[AUTHENTICATIONFAILED\]/);
});

test('a removed offer of channel binding is noticed', async () => {
  assert.match(await firstAnswer('fe1', 'y,,n=alice,r=abc'), /^a NO \[AUTHENTICATIONFAILED\]/);
});

interface TokenChanges { readonly claims?: object; readonly header?: object; readonly key?: KeyObject }

function token({ claims = {}, header = {}, key = keys.ed.privateKey }: TokenChanges = {}): string {
  const now = Math.floor(Date.now() / 1000);
  const kid = key.asymmetricKeyType === 'rsa' ? 'r' : key.asymmetricKeyType === 'ec' ? 'e' : 'd';
  const alg = { r: 'RS256', e: 'ES256', d: 'EdDSA' }[kid];
  const standard = { iss: issuer, aud: ['mail', 'web'], exp: now + 300, nbf: now, email: 'alice@example.com', scope: 'openid mail.read' };
  return bearerToken({ header: { alg, kid, ...header }, claims: { ...standard, ...claims }, key });
}

async function curl(service: 'imaps' | 'pop3s' | 'submissions', words: string[]): Promise<ProgramResult> {
  const scheme = service === 'submissions' ? 'smtps' : service;
  const more = service === 'pop3s' ? [] : ['--request', 'NOOP'];
  return run('curl', ['--silent', '--show-error', '--verbose', '--cacert', cluster.authorityFile, ...more, ...words, `${scheme}://localhost:${String(cluster.port('fe1', service))}/`]);
}

const byToken = async (mechanism: string, text: string, service: Parameters<typeof curl>[0] = 'imaps'): Promise<ProgramResult> =>
  curl(service, ['--user', 'alice@example.com:', '--oauth2-bearer', text, '--login-options', `AUTH=${mechanism}`, '--interface', elsewhere()]);

for (const service of ['imaps', 'pop3s', 'submissions'] as const) {
  test(`curl logs in by OAUTHBEARER and XOAUTH2 over ${service}`, async () => {
    for (const mechanism of ['OAUTHBEARER', 'XOAUTH2']) {
      const result = await byToken(mechanism, token(), service);
      assert.equal(result.code, 0, `${mechanism}\n${result.output}${result.complaint}`);
    }
  });
}

secretsSuite({
  cluster: () => cluster, gsasl, token, byToken, elsewhere,
  syslog: async () => (await rsyslog.messages()).map(({ text }) => text).join('\n'),
});

test('tokens of every kind of key are taken, bad ones refused, and keys are read again when they change', async () => {
  for (const { privateKey } of Object.values(keys)) assert.equal((await byToken('OAUTHBEARER', token({ key: privateKey }))).code, 0, privateKey.asymmetricKeyType);
  const now = Math.floor(Date.now() / 1000);
  const bad: readonly TokenChanges[] = [{ key: stranger.privateKey }, { claims: { exp: now - 120 } }, { claims: { aud: 'web' } }, { claims: { email: 'bob@example.com' } }, { header: { alg: 'none' } }];
  for (const changes of bad) {
    const { code, complaint } = await byToken('OAUTHBEARER', token(changes));
    assert.equal(code, 67, `${JSON.stringify(changes)}\n${complaint}`);
    assert.match(complaint, new RegExp(Buffer.from('{"status":"invalid_token","scope":"mail.read"}').toString('base64')));
  }
  fs.writeFileSync(path.join(folder, 'keys.json'), JSON.stringify({ keys: [jwk(stranger.publicKey, 'd')] }));
  await new Promise((resolve) => setTimeout(resolve, 1100));
  assert.equal((await byToken('OAUTHBEARER', token({ key: stranger.privateKey }))).code, 0);
});

test('while the directory is away, nothing is refused as wrong', async () => {
  await cluster.stopDirectory();
  assert.match(await firstAnswer('fe1', 'n,,n=alice,r=abc'), /^a NO \[UNAVAILABLE\]/);
  // Of heidi no route is known from before.
  const { code, complaint } = await curl('imaps', ['--user', 'heidi:', '--oauth2-bearer', token({ key: stranger.privateKey, claims: { email: 'heidi@example.com' } }), '--login-options', 'AUTH=XOAUTH2', '--interface', elsewhere()]);
  assert.notEqual(code, 0);
  assert.match(complaint, /NO \[UNAVAILABLE\]/);
  await cluster.startDirectory();
});
