/**
 * Passwords that back-ends check: of directory users where the proxy does not, and of local accounts, which no directory has.
 * On real slapd, with curl as the mail program. Who checks is told apart by maps that can't see passwords: those of fe1 and be2.
 */
import { after, before, test } from 'node:test';
import assert from 'node:assert/strict';
import * as fs from 'node:fs';
import * as path from 'node:path';
import { startCluster } from '../harness/cluster.ts';
import type { Cluster, NodeName } from '../harness/cluster.ts';
import { runCommand } from '../harness/command.ts';
import { Dialogue } from '../harness/dialogue.ts';
import { ImapSession } from '../harness/imap-session.ts';
import { logLine } from '../harness/log-lines.ts';
import { programFile } from '../harness/program-file.ts';
import { run } from '../harness/programs.ts';
import { WebClient } from '../harness/web-client.ts';

let cluster: Cluster;
let strangers = 0;
/** Each attempt that may fail comes from elsewhere, so that the next one needn't wait for it. */
const elsewhere = (): string => `127.66.8.${String((strangers += 1))}`;
const local = { ann: 'secret of ann', ben: 'secret of ben' } as const;

const maps = (type: 'ldapBind' | 'ldapPassword'): string => `userMaps:
      - { name: users, type: ${type}, connector: directory, domains: [example.com] }
      - { name: files, type: localFile, file: files.map, domains: [local.example] }`;

function changed(yaml: string): string {
  const checking = (word: string): string => `authenticateOnProxy: "${word}"`;
  const all = (word: string): string => ['imapProxy', 'pop3Proxy', 'smtpProxy', 'webmailProxy'].map((name) => `      ${name}: { ${checking(word)} }\n`).join('');
  return yaml
    .replace(/ {2}userMaps:\n.*\n/, `  domains: [local.example, bare.example]\n  routing: { mappingHost: be1 }\n`)
    .replace('\nnodes:\n', `\nfrontends:\n    services:\n${all('no')}\nnodes:\n`)
    .replace('  fe1:\n', `  fe1:\n    ${maps('ldapPassword')}\n`)
    .replace('  fe2:\n', `  fe2:\n    ${maps('ldapBind')}\n`)
    .replace('  be1:\n', `  be1:\n    ${maps('ldapBind')}\n`)
    .replace('  be2:\n', `  be2:\n    ${maps('ldapPassword')}\n`)
    .replace(/( {2}fe2:[\s\S]*?)( {2}be1:)/, (_, fe2: string, next: string) =>
      fe2.replaceAll(/((?:imap|pop3|smtp|webmail)Proxy:\n)/g, `$1        ${checking('also')}\n`) + next);
}

before(async () => {
  cluster = await startCluster({
    directory: 'slapd',
    nodes: [],
    changeConfig: changed,
  });
  fs.writeFileSync(path.join(cluster.folder, 'files.map'), '/.*@local\\.example/ be2\n');
  await Promise.all((['be1', 'be2', 'fe1', 'fe2'] as const).map(async (node) => cluster.startNode(node)));
  await waybill(['account', 'add', 'ann@local.example'], local.ann);
  await waybill(['account', 'add', 'ben@bare.example'], local.ben);
});
after(async () => cluster.stop());

async function waybill(words: readonly string[], password: string): Promise<void> {
  const { code, complaint } = await run(process.execPath, [programFile, ...words, '--stdin', '--config', cluster.configFile], `${password}\n`);
  assert.equal(code, 0, complaint);
}

type Service = 'imaps' | 'pop3s' | 'submissions';
const services = ['imaps', 'pop3s', 'submissions'] as const;

/** curl's exit code: 0 for a login, 67 for a wrong password. */
async function logsIn(node: NodeName, service: Service, credentials: string): Promise<number | null> {
  const scheme = service === 'submissions' ? 'smtps' : service;
  const more = service === 'pop3s' ? [] : ['--request', 'NOOP'];
  const words = ['--silent', '--cacert', cluster.authorityFile, ...more, '--user', credentials, '--interface', elsewhere(), `${scheme}://localhost:${String(cluster.port(node, service))}/`];
  return (await run('curl', words)).code;
}

async function signIn(node: NodeName, name: string, password: string): Promise<number> {
  const answer = await new WebClient().ask(`https://127.0.0.1:${String(cluster.port(node, 'https'))}/api/sign-in`, {
    method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify({ name, password }),
  });
  return answer.status;
}

test('a proxy that leaves the check to the back-end lets in whom the back-end lets in', async () => {
  for (const service of services) {
    assert.equal(await logsIn('fe1', service, `alice:${cluster.password}`), 0, `${service}: be1 asks slapd`);
    assert.equal(await logsIn('fe1', service, 'alice:wrong'), 67, `${service}: and is told no`);
    assert.equal(await logsIn('fe1', service, `bob:${cluster.password}`), 67, `${service}: be2 can't see that this is right`);
    assert.equal(await logsIn('fe1', service, `nobody:${cluster.password}`), 67, service);
  }
  assert.equal(await signIn('fe1', 'alice', cluster.password), 200);
  assert.equal(await signIn('fe1', 'alice', 'wrong'), 401);
  assert.equal(await signIn('fe1', 'bob', cluster.password), 401);
});

test('where both check, both must agree', async () => {
  for (const service of services) {
    assert.equal(await logsIn('fe2', service, `alice:${cluster.password}`), 0, service);
    assert.equal(await logsIn('fe2', service, 'alice:wrong'), 67, service);
    assert.equal(await logsIn('fe2', service, `bob:${cluster.password}`), 67, `${service}: fe2 says yes, be2 no`);
  }
  assert.equal(await signIn('fe2', 'alice', cluster.password), 200);
  assert.equal(await signIn('fe2', 'bob', cluster.password), 401);
});

test('only mechanisms that bring a password are offered', async () => {
  const imaps = await Dialogue.connect({ port: cluster.port('fe1', 'imaps'), tls: 'implicit' });
  assert.deepEqual([...(await imaps.line()).matchAll(/ AUTH=([^\s\]]+)/g)].map(([, name]) => name), ['PLAIN', 'LOGIN']);
  imaps.close();
});

test('local accounts log in beside users of the directory, by a map of a file and by the default back-end', async () => {
  for (const node of ['fe1', 'fe2'] as const) {
    for (const service of services) {
      assert.equal(await logsIn(node, service, `ann@local.example:${local.ann}`), 0, `${node} ${service} ann`);
      assert.equal(await logsIn(node, service, `ben@bare.example:${local.ben}`), 0, `${node} ${service} ben`);
      assert.equal(await logsIn(node, service, `ann@local.example:${local.ben}`), 67, `${node} ${service} ann with another's`);
      assert.equal(await logsIn(node, service, `nobody@local.example:${local.ann}`), 67, `${node} ${service} nobody`);
    }
    assert.equal(await signIn(node, 'ann@local.example', local.ann), 200);
    assert.equal(await signIn(node, 'ben@bare.example', 'wrong'), 401);
  }
});

test('mail comes to local accounts, from them, and not to names that nobody made', async () => {
  const word = `local-${String(Date.now())}`;
  const message = path.join(cluster.folder, 'message');
  fs.writeFileSync(message, `Subject: ${word}\r\nFrom: ann@local.example\r\n\r\nHello\r\n`);
  const send = async (to: string): Promise<number | null> => (await run('curl', [
    '--silent', '--cacert', cluster.authorityFile, '--user', `ann@local.example:${local.ann}`, '--mail-from', 'ann@local.example', '--mail-rcpt', to,
    '--upload-file', message, `smtps://localhost:${String(cluster.port('fe1', 'submissions'))}/`,
  ])).code;
  assert.equal(await send('ben+news@bare.example'), 0);
  const ben = await ImapSession.connect(cluster, 'fe2');
  await ben.ok(`LOGIN ben@bare.example "${local.ben}"`);
  await ben.findSoon(word);
  ben.close();
  const world = await Dialogue.connect({ port: cluster.port('fe1', 'smtp') });
  await world.reply(220);
  await world.ask('EHLO mx.example.net', 250);
  await world.ask('MAIL FROM:<someone@example.net>', 250);
  for (const unknown of ['typo@bare.example', 'typo@local.example']) await world.ask(`RCPT TO:<${unknown}>`, 550);
  for (const known of ['ben@bare.example', 'ann@local.example']) await world.ask(`RCPT TO:<${known}>`, 250);
  world.close();
});

test('guesses at a back-end\'s passwords are slowed at the front', async () => {
  const from = elsewhere();
  const took: number[] = [];
  for (let count = 0; count < 6; count += 1) {
    const imap = await Dialogue.connect({ port: cluster.port('fe1', 'imaps'), tls: 'implicit', from });
    await imap.line();
    const began = performance.now();
    imap.say(`a LOGIN ann@local.example "guess ${String(count)}"`);
    assert.match(await imap.line(), /^a NO \[AUTHENTICATIONFAILED\] Wrong user name or password/i);
    took.push(performance.now() - began);
    imap.close();
  }
  assert.ok((took[5] ?? 0) >= 2000, `the sixth waits: ${took.map(Math.round).join(' ')} ms`);
});

test('a new password holds at once, and the account keeps it when it moves', async () => {
  await waybill(['passwd', 'ann@local.example'], 'second secret');
  assert.equal(await logsIn('fe1', 'imaps', `ann@local.example:${local.ann}`), 67);
  assert.equal(await logsIn('fe1', 'imaps', 'ann@local.example:second secret'), 0);
  const moved = await runCommand(cluster, ['account', 'move', 'ann@local.example', 'be1']);
  assert.ok(moved.code === 0 || moved.code === 2, moved.complaint);
  for (const service of services) {
    assert.equal(await logsIn('fe1', service, 'ann@local.example:second secret'), 0, `${service}: referred to be1`);
    assert.equal(await logsIn('fe2', service, 'ann@local.example:wrong'), 67, service);
  }
  assert.equal(await signIn('fe1', 'ann@local.example', 'second secret'), 200);
});

test('a back-end that is down, and a directory that it can\'t reach, are no wrong password; local accounts need no directory', async () => {
  await cluster.stopDirectory();
  assert.equal(await logsIn('fe1', 'imaps', `ben@bare.example:${local.ben}`), 0);
  const word = async (name: string, password: string): Promise<string> => {
    const imap = await Dialogue.connect({ port: cluster.port('fe1', 'imaps'), tls: 'implicit', from: elsewhere() });
    await imap.line();
    imap.say(`a LOGIN ${name} "${password}"`);
    const line = await imap.line();
    imap.close();
    return line;
  };
  assert.match(await word('alice', cluster.password), /^a NO \[UNAVAILABLE\]/);
  await cluster.startDirectory();
  await cluster.kill('be1');
  assert.match(await word('ben@bare.example', local.ben), /^a NO \[UNAVAILABLE\]/);
  assert.match(await word('alice', 'wrong'), /^a NO \[UNAVAILABLE\]/);
});

test('no password is in any log', async () => {
  await logLine(cluster, 'fe1', ['login failed']);
  for (const node of ['fe1', 'fe2', 'be1', 'be2'] as const) assert.doesNotMatch(cluster.log(node), /secret of|second secret|guess \d/, node);
});
