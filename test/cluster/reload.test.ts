/** The configuration is edited while clients are at work: their sessions go on, new ones find what is new, and a mistake changes nothing. */
import { after, before, test } from 'node:test';
import assert from 'node:assert/strict';
import { on, once } from 'node:events';
import * as fs from 'node:fs';
import type { IncomingMessage } from 'node:http';
import { get } from 'node:https';
import { setTimeout as sleep } from 'node:timers/promises';
import { startCluster } from '../harness/cluster.ts';
import type { Cluster, NodeName } from '../harness/cluster.ts';
import { Dialogue } from '../harness/dialogue.ts';
import { ImapSession } from '../harness/imap-session.ts';
import { logLine } from '../harness/log-lines.ts';
import { newMessage } from '../harness/messages.ts';
import { Pop3Session } from '../harness/pop3-session.ts';
import { SmtpSession, deliver } from '../harness/smtp-session.ts';
import { WebClient } from '../harness/web-client.ts';

const edited: readonly NodeName[] = ['fe1', 'be1'];
const drainSeconds = 2;

let cluster: Cluster;
let firstYaml: string;
/** Sessions of the time before the first edit. */
let idle: ImapSession;
let direct: ImapSession;
let pop3: Pop3Session;
let smtp: SmtpSession;
/** The stream of news of an open WebMail page. */
let page: IncomingMessage;

before(async () => {
  cluster = await startCluster({ nodes: ['fe1', 'be1'], changeConfig: (yaml) => yaml.replace('drainSeconds: 5', `drainSeconds: ${String(drainSeconds)}`) });
  firstYaml = fs.readFileSync(cluster.configFile, 'utf8');
  for (let count = 0; count < 3; count += 1) await send('alice');
  idle = await ImapSession.logIn(cluster, { node: 'fe1', user: 'alice' });
  await beginIdle();
  direct = await ImapSession.logIn(cluster, { node: 'be1', user: 'carol' });
  await direct.ok('SELECT INBOX');
  pop3 = await Pop3Session.logIn(cluster, { node: 'fe1', user: 'alice' });
  await pop3.ok('DELE 1');
  smtp = await SmtpSession.connect(cluster, 'fe1');
  assert.match(await smtp.say('MAIL FROM:<sender@example.net>'), /^250 /);
  assert.match(await smtp.say('RCPT TO:<carol@example.com>'), /^250 /);
  page = await openPage('alice');
});
after(async () => {
  page.destroy();
  await cluster.stop();
});

async function openPage(user: string): Promise<IncomingMessage> {
  const url = `https://127.0.0.1:${String(cluster.port('fe1', 'https'))}`;
  const web = new WebClient();
  assert.equal((await web.post(`${url}/api/sign-in`, { name: user, password: cluster.password })).status, 200);
  const asked = get(`${url}/api/events`, { agent: false, rejectUnauthorized: false, headers: { 'waybill-request': 'background', cookie: web.cookie ?? '' } });
  const [answer] = (await once(asked, 'response')) as [IncomingMessage];
  assert.equal(answer.statusCode, 200);
  return answer.setEncoding('utf8');
}

/** The page of before hears of a message that was delivered just now. */
async function pageHears(): Promise<void> {
  const heard = (async () => {
    for await (const text of on(page, 'data', { signal: AbortSignal.timeout(5000) })) if (String(text).includes('event: change')) return;
  })();
  await Promise.all([heard, send('alice')]);
}

async function beginIdle(): Promise<void> {
  await idle.ok('SELECT INBOX');
  idle.dialogue.say('i IDLE');
  await idle.dialogue.expect(/^\+ /);
}

async function send(user: string): Promise<void> {
  assert.match(await deliver(cluster, 'fe1', { from: 'sender@example.net', to: [`${user}@example.com`], bytes: newMessage().bytes }), /^250 /);
}

/** The time until the idling client hears of a message that was delivered just now. */
async function newsAfterMs(): Promise<number> {
  await send('alice');
  const sentMs = Date.now();
  await idle.dialogue.until(/^\* \d+ EXISTS$/);
  return Date.now() - sentMs;
}

/** What the nodes say of an edit; of one that is put to use, both the new worker and the one of before. */
const verdicts = {
  used: ['runs the new configuration', 'retires: accepts nothing new'],
  refused: ['configuration refused'],
  undone: ['again the one in use'],
} as const;

/** Writes the file as an editor does and waits until the nodes have said what they think of it. */
async function edit(change: (yaml: string) => string, verdict: keyof typeof verdicts): Promise<void> {
  const yaml = fs.readFileSync(cluster.configFile, 'utf8');
  const changed = change(yaml);
  assert.notEqual(changed, yaml);
  const from = new Map(edited.map((node) => [node, cluster.log(node).length]));
  fs.writeFileSync(cluster.configFile, changed);
  for (const node of edited) {
    for (const words of verdicts[verdict]) await logLine(cluster, node, { words: [words], from: from.get(node) ?? 0, patienceMs: 15_000 });
  }
}

function extraPort(node: NodeName): number {
  return cluster.port(node, 'imap') + 1;
}

/** Gives each of the two nodes one IMAP listener more, beside the one that is there. */
function withOneListenerMore(yaml: string): string {
  return edited.reduce((text, node) => {
    const port = cluster.port(node, 'imap');
    return text.replace(new RegExp(`( +- \\{ address: "127\\.0\\.0\\.1:)${String(port)}(".*\\n)`), `$&$1${String(extraPort(node))}$2`);
  }, yaml);
}

function withRecipientLimit(yaml: string, count: number): string {
  return yaml.replace('\nnodes:\n', `\nfrontends: { services: { smtpProxy: { maxRecipients: ${String(count)} } } }\n\nnodes:\n`);
}

/** What a node tells a load balancer. */
async function readiness(node: NodeName): Promise<{ readonly status: number; readonly ready: unknown; readonly services: string }> {
  const { status, json } = await new WebClient().ask(`https://127.0.0.1:${String(cluster.port(node, 'admin'))}/readyz`);
  const services: unknown = json['services'];
  return { status, ready: json['ready'], services: Array.isArray(services) ? services.toSorted().join(',') : '' };
}

/** Process ids of workers that retired. */
function retired(node: NodeName): number[] {
  const lines = cluster.log(node).split('\n').filter((line) => line.includes('retires: accepts nothing new'));
  return lines.map((line) => (JSON.parse(line) as { readonly pid: number }).pid);
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ESRCH') return false;
    throw error;
  }
}

test('an edit that adds listeners and changes a limit is put to use, and new sessions find it', async (t) => {
  await edit((yaml) => withRecipientLimit(withOneListenerMore(yaml), 1), 'used');
  for (const node of edited) {
    const imap = await Dialogue.connect({ port: extraPort(node) });
    t.after(() => imap.close());
    await imap.expect(/^\* OK /);
    assert.equal(retired(node).filter(isAlive).length, 1, `the worker of before keeps its sessions at ${node}`);
  }
  const fresh = await SmtpSession.connect(cluster, 'fe1');
  t.after(() => fresh.close());
  await fresh.say('MAIL FROM:<sender@example.net>');
  assert.match(await fresh.say('RCPT TO:<alice@example.com>'), /^250 /);
  assert.match(await fresh.say('RCPT TO:<carol@example.com>'), /^452 /);
});

test('IDLE in the worker of before hears of what the new one delivers', async (t) => {
  const afterMs = await newsAfterMs();
  t.diagnostic(`after ${String(afterMs)} ms`);
  assert.ok(afterMs < 1000);
});

test('an open WebMail page hears of it, too', async () => {
  await pageHears();
  await idle.dialogue.until(/^\* \d+ EXISTS$/);
});

test('sessions in the middle of IMAP, POP3 and SMTP go on with the parameters they began with, through a second edit too', async () => {
  await edit(() => withRecipientLimit(firstYaml, 2), 'used');
  await sleep(100); // the last to close its listener does so just after it said so
  for (const node of edited) await assert.rejects(Dialogue.connect({ port: extraPort(node) }), { code: 'ECONNREFUSED' }, 'the listener that was taken away');
  await direct.ok('NOOP');
  assert.match(await smtp.say('RCPT TO:<alice@example.com>'), /^250 /); // the limit is for sessions that began later
  const { subject, bytes } = newMessage();
  assert.match(await smtp.say('DATA'), /^354 /);
  assert.match(await smtp.sayMessage(bytes), /^250 /);
  await idle.dialogue.until(/^\* \d+ EXISTS$/);
  await direct.findSoon(subject);
  assert.match(await pop3.run('STAT'), /^\+OK 2 /);
  await pop3.ok('QUIT');
  assert.ok((await newsAfterMs()) < 1000);
});

test('an edit with a mistake is refused and logged, and everything goes on', async () => {
  const yaml = fs.readFileSync(cluster.configFile, 'utf8');
  const before = edited.map((node) => retired(node).length);
  await edit((text) => text.replace('maxRecipients', 'maxRecipient'), 'refused');
  assert.match(cluster.log('fe1'), /maxRecipients/);
  assert.deepEqual(edited.map((node) => retired(node).length), before);
  assert.ok((await newsAfterMs()) < 1000);
  await direct.ok('NOOP');
  (await ImapSession.logIn(cluster, { node: 'fe1', user: 'carol' })).close();
  await edit(() => yaml, 'undone');
});

test('a worker of before leaves when its last session has ended', async () => {
  const [oldest] = retired('be1');
  assert.ok(oldest !== undefined && isAlive(oldest));
  idle.dialogue.say('DONE');
  await idle.dialogue.until(/^i OK /);
  await idle.ok('LOGOUT');
  await direct.ok('LOGOUT');
  await smtp.quit();
  page.destroy();
  const deadline = Date.now() + 30_000;
  while (edited.some((node) => retired(node).some(isAlive))) {
    assert.ok(Date.now() < deadline, 'retired workers without sessions are still there');
    await sleep(50);
  }
});

test('SIGTERM ends retiring workers within the time to drain; meanwhile the node says that it is not ready', async () => {
  idle = await ImapSession.logIn(cluster, { node: 'fe1', user: 'alice' });
  await beginIdle();
  await edit(() => withRecipientLimit(firstYaml, 3), 'used');
  const late = await ImapSession.logIn(cluster, { node: 'fe1', user: 'alice' });
  assert.deepEqual(await readiness('be1'), { status: 200, ready: true, services: 'imap,pop3,processing,smtpReceiving,webmail' });
  assert.deepEqual(await readiness('fe1'), { status: 200, ready: true, services: 'imapProxy,pop3Proxy,smtpProxy,webmailProxy' });
  const beganMs = Date.now();
  const stopping = cluster.stopNode('fe1');
  await logLine(cluster, 'fe1', ['"stopping"']);
  for (const deadline = Date.now() + drainSeconds * 1000; (await readiness('fe1')).ready === true && Date.now() < deadline;) await sleep(20);
  assert.deepEqual(await readiness('fe1'), { status: 503, ready: false, services: '' });
  assert.equal(await stopping, 0);
  assert.ok(Date.now() - beganMs < (drainSeconds + 4) * 1000, 'without force');
  await Promise.all([idle.dialogue.closed(), late.dialogue.closed()]);
});
