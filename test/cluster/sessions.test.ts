/** Live sessions of all workers of all front-ends, listed and kicked from the command line; routes flushed everywhere. */
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { after, before, test } from 'node:test';
import { startCluster } from '../harness/cluster.ts';
import type { Cluster } from '../harness/cluster.ts';
import type { CommandOutcome } from '../harness/command.ts';
import { CommandRunner } from '../harness/command-runner.ts';
import { addPerson, setMailHost } from '../harness/demo-people.ts';
import { Dialogue } from '../harness/dialogue.ts';
import { ImapSession } from '../harness/imap-session.ts';
import { logLine } from '../harness/log-lines.ts';
import { Pop3Session } from '../harness/pop3-session.ts';
import { SmtpSession } from '../harness/smtp-session.ts';
import { WebClient } from '../harness/web-client.ts';
import { openWebSocket, trustAuthority } from '../harness/web-socket-client.ts';

let cluster: Cluster;
let commands: CommandRunner;

before(async () => {
  cluster = await startCluster({ changeConfig: (yaml) => yaml.replace('workers: 1 ', 'workers: 2 ') });
  commands = new CommandRunner(cluster.configFile);
});
after(async () => {
  commands.stop();
  await cluster.stop();
});

async function waybill(...words: string[]): Promise<CommandOutcome> {
  return commands.run(words);
}

interface Listed { readonly frontend: string; readonly service: string; readonly account?: string; readonly client: string; readonly nodes: readonly string[] }

async function list(...words: string[]): Promise<readonly Listed[]> {
  const { code, output, complaint } = await waybill('session', 'list', '--json', ...words);
  assert.equal(code, 0, complaint);
  return (JSON.parse(output) as { sessions: Listed[] }).sessions;
}

/** A logged-in session from an address of its own; node's cluster module deals connections out to the workers in turn. */
async function logIn(node: 'fe1' | 'fe2', user: string, from: string): Promise<Dialogue> {
  const dialogue = await Dialogue.connect({ port: cluster.port(node, 'imaps'), tls: 'implicit', from });
  await dialogue.expect(/^\* OK/);
  dialogue.say(`a LOGIN ${user} ${cluster.password}`);
  await dialogue.until(/^a OK/);
  return dialogue;
}

test('sessions of all workers on both front-ends are listed by account, address and back-end, and kicked', async () => {
  const [one, two] = [await addPerson(cluster, 'be1'), await addPerson(cluster, 'be2')];
  const [first, second, third] = [await logIn('fe1', one, '127.0.0.31'), await logIn('fe1', one, '127.0.0.32'), await logIn('fe2', one, '127.0.0.33')];
  const other = await logIn('fe1', two, '127.0.0.31');
  const pop3 = await Pop3Session.logIn(cluster, { node: 'fe2', user: one });
  const waiting = await Dialogue.connect({ port: cluster.port('fe1', 'imaps'), tls: 'implicit', from: '127.0.0.34' });
  await waiting.expect(/^\* OK/);

  const summary = (sessions: readonly Listed[]): string[] => sessions.map(({ frontend, service, client }) => `${frontend} ${service} ${client}`).sort();
  assert.deepEqual(summary(await list('--user', one)), ['fe1 imapProxy 127.0.0.31', 'fe1 imapProxy 127.0.0.32', 'fe2 imapProxy 127.0.0.33', 'fe2 pop3Proxy 127.0.0.1']);
  assert.deepEqual(summary(await list('--address', '127.0.0.31')), ['fe1 imapProxy 127.0.0.31', 'fe1 imapProxy 127.0.0.31']);
  assert.deepEqual(summary(await list('--address', '127.0.0.32/31', '--node', 'be1')), ['fe1 imapProxy 127.0.0.32', 'fe2 imapProxy 127.0.0.33']);
  assert.deepEqual(summary(await list('--node', 'be2')), ['fe1 imapProxy 127.0.0.31']);
  assert.deepEqual((await list('--address', '127.0.0.34')).map(({ account }) => account), [undefined]);
  const { output } = await waybill('session', 'list', '--user', one);
  assert.match(output, new RegExp(`FRONT-END +SERVICE +ACCOUNT +CLIENT +BACK-END +SINCE +SESSION\\n(?:fe[12] +(?:imap|pop3)Proxy +${one}@example\\.com +127\\.0\\.0\\.\\d+ +be1 +\\S+ +\\S+\\n){4}$`));

  const kick = await waybill('session', 'kick', '--user', one, '--json');
  assert.equal(kick.code, 0, kick.complaint);
  assert.equal((JSON.parse(kick.output) as { sessions: unknown[] }).sessions.length, 4);
  for (const dialogue of [first, second, third, pop3.dialogue]) await dialogue.closed();
  await logLine(cluster, 'fe1', ['sessions kicked by an administrator', `"account":"${one}@example.com"`]);
  assert.deepEqual(await list('--user', one), []);
  other.say('b NOOP');
  await other.expect(/^b OK/);
  assert.equal((await waybill('session', 'kick', '--node', 'be2')).code, 0);
  await other.closed();
  assert.equal((await waybill('session', 'kick', '--address', '127.0.0.34')).code, 0);
  await waiting.closed();
});

test('SMTP conversations and WebMail in progress are listed with account and back-end, and kicked', async () => {
  const user = await addPerson(cluster, 'be1');
  const submission = await SmtpSession.connect(cluster, 'fe1', 'submission');
  assert.match(await submission.authenticate(user, cluster.password), /^235/);
  assert.deepEqual((await list('--user', user)).map(({ service, nodes }) => [service, nodes]), [['smtpProxy', []]]);
  assert.match(await submission.say(`MAIL FROM:<${user}@example.com>`), /^250/);
  const stranger = await SmtpSession.connect(cluster, 'fe2');
  await stranger.say('MAIL FROM:<x@example.net>');
  assert.match(await stranger.say(`RCPT TO:<${user}@example.com>`), /^250/);
  trustAuthority(readFileSync(cluster.authorityFile, 'utf8'));
  const url = `https://localhost:${String(cluster.port('fe2', 'https'))}`;
  const browser = new WebClient();
  assert.equal((await browser.post(`${url}/api/sign-in`, { name: user, password: cluster.password })).status, 200);
  const page = await openWebSocket(`${url}/api/events`, { cookie: browser.cookie ?? '', origin: url });

  const summary = (sessions: readonly Listed[]): unknown[] => sessions.map(({ frontend, service, account, nodes }) => [frontend, service, account, nodes]).toSorted();
  const account = `${user}@example.com`;
  assert.deepEqual(summary(await list('--user', user)), [['fe1', 'smtpProxy', account, ['be1']], ['fe2', 'webmailProxy', account, ['be1']]]);
  assert.deepEqual(summary(await list('--address', '127.0.0.1', '--node', 'be1')).map((row) => (row as string[])[1]).toSorted(), ['smtpProxy', 'smtpProxy', 'webmailProxy']);
  // By back-end the line is cut and no more: the page may come again.
  assert.equal((await waybill('session', 'kick', '--address', '127.0.0.1', '--node', 'be1')).code, 0);
  await Promise.all([submission.dialogue.closed(), stranger.dialogue.closed(), page.heard.over]);
  assert.equal((await browser.ask(`${url}/api/mailboxes`)).status, 200);
  const again = await openWebSocket(`${url}/api/events`, { cookie: browser.cookie ?? '', origin: url });
  // By user the sign-ins end, too.
  const kick = await waybill('session', 'kick', '--user', user);
  assert.equal(kick.code, 0, kick.complaint);
  await again.heard.over;
  assert.equal((await browser.ask(`${url}/api/mailboxes`)).status, 401);
  assert.deepEqual(await list('--user', user), []);
});

test('kick says whom it needs, and a bad address, before anything is cut', async () => {
  const nobody = await waybill('session', 'kick');
  assert.equal(nobody.code, 1);
  assert.match(nobody.complaint, /say whom to kick/);
  const bad = await waybill('session', 'kick', '--address', '300.1.1.1');
  assert.equal(bad.code, 1);
  assert.match(bad.complaint, /"300\.1\.1\.1" is not a network/);
});

test('a flushed route is looked up again by every worker of every front-end', async () => {
  const user = await addPerson(cluster, 'nowhere.invalid');
  const refused = async (node: 'fe1' | 'fe2'): Promise<string> => {
    const smtp = await SmtpSession.connect(cluster, node);
    await smtp.say('MAIL FROM:<x@example.net>');
    const reply = await smtp.say(`RCPT TO:<${user}@example.com>`);
    smtp.dialogue.close();
    return reply;
  };
  // Both workers of both know the route now; the age of a route is a minute.
  for (const node of ['fe1', 'fe1', 'fe2', 'fe2'] as const) await refused(node);
  await setMailHost(cluster, user, 'be1');
  const flush = await waybill('map', 'flush', user);
  assert.equal(flush.code, 0, flush.complaint);
  assert.match(flush.output, new RegExp(`^${user}@example\\.com is forgotten by fe1, fe2\\n$`));
  for (const node of ['fe1', 'fe1', 'fe2', 'fe2'] as const) {
    const show = await waybill('map', 'show', user, '--node', node, '--json');
    assert.equal((JSON.parse(show.output) as { mailHost: string }).mailHost, 'be1', show.output);
  }
});

test('sessions of workers that a change of the configuration has retired are listed and kicked like all others', async () => {
  const user = await addPerson(cluster, 'be1');
  const old = await logIn('fe1', user, '127.0.0.35');
  const from = cluster.log('fe1').length;
  writeFileSync(cluster.configFile, readFileSync(cluster.configFile, 'utf8').replace('\nnodes:\n', '\nfrontends: { services: { imapProxy: { maxErrors: 11 } } }\nnodes:\n'));
  await logLine(cluster, 'fe1', { words: ['runs the new configuration'], from, patienceMs: 20_000 });
  const young = await logIn('fe1', user, '127.0.0.36');
  assert.deepEqual((await list('--user', user)).map(({ client }) => client).toSorted(), ['127.0.0.35', '127.0.0.36']);
  assert.equal((await waybill('session', 'kick', '--user', user)).code, 0);
  await old.closed();
  await young.closed();
});

test('a front-end that is down is named, the others do their part, and the exit code says so', async () => {
  const user = await addPerson(cluster, 'be1');
  const imap = await ImapSession.logIn(cluster, { node: 'fe1', user });
  await cluster.kill('fe2');
  const listed = await waybill('session', 'list', '--user', user);
  assert.equal(listed.code, 1);
  assert.match(listed.output, new RegExp(user));
  assert.match(listed.complaint, /^waybill: fe2 does not answer/);
  imap.close();
});
