/** The proxy before two real back-ends in processes of their own, which are killed: what was answered 250 is there, once. */
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import assert from 'node:assert/strict';
import { fork } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { BackendTarget } from '../../../frontend/login/login.ts';
import type { Route } from '../../../frontend/mapping/mapping.ts';
import { Dialogue } from '../../harness/dialogue.ts';
import { testProcess } from '../../harness/program-file.ts';
import { startTestNode } from '../../backend/processing/test-node.ts';
import type { NodeSettings, TestNode } from '../../backend/processing/test-node.ts';
import { certificates } from '../../shared/smtp/recording-server.ts';
import { sendMessage, startCluster } from './cluster.ts';
import type { TestCluster } from './cluster.ts';

type NodeName = 'be1' | 'be2';
const owners = { 'alice@example.com': 'be1', 'bob@example.com': 'be2' } as const;
const noPorts = { lmtp: 0, submission: 0 };

/** Both back-ends as processes, their folders, and where they listen now. */
class Backends {
  readonly #folder = fs.mkdtempSync(path.join(os.tmpdir(), 'waybill-smtp-proxy-'));
  readonly #children = new Map<NodeName, ChildProcess>();
  readonly ports = { be1: noPorts, be2: noPorts };

  constructor(t: TestContext) {
    t.after(() => {
      for (const child of this.#children.values()) child.kill('SIGKILL');
      fs.rmSync(this.#folder, { recursive: true, force: true });
    });
  }

  async start(name: NodeName): Promise<void> {
    const child = fork(testProcess('backend/processing/node-process'), [JSON.stringify(this.#settings(name))]);
    this.#children.set(name, child);
    const [{ ports }] = (await once(child, 'message')) as [{ ports: { lmtp: number; submission: number } }];
    this.ports[name] = ports;
    this.#tellPorts();
  }

  /** As a power cut of the process: no farewell. */
  async kill(name: NodeName): Promise<void> {
    const child = this.#children.get(name);
    child?.kill('SIGKILL');
    if (child?.exitCode === null && child.signalCode === null) await once(child, 'exit');
  }

  target(route: Route, endpoint: 'lmtp' | 'submission'): BackendTarget | undefined {
    if (route.kind !== 'node' || (route.node !== 'be1' && route.node !== 'be2')) return undefined;
    const fe1 = certificates['fe1'];
    return { node: route.node, host: '127.0.0.1', port: this.ports[route.node][endpoint], tls: { cert: fe1?.certificate, key: fe1?.key, ca: fe1?.authority, servername: 'localhost' } };
  }

  /** The same back-end in this process, to look into its storage. The process must be gone. */
  async inside(name: NodeName, t: TestContext): Promise<TestNode> {
    const node = await startTestNode(this.#settings(name));
    t.after(async () => node.stop());
    this.ports[name] = node.ports;
    this.#tellPorts();
    return node;
  }

  #settings(name: NodeName): NodeSettings {
    const certificate = certificates[name] ?? { certificate: '', key: '', authority: '' };
    return { name, directory: path.join(this.#folder, name), owners, portsFile: path.join(this.#folder, 'ports.json'), certificate };
  }

  #tellPorts(): void {
    fs.writeFileSync(path.join(this.#folder, 'ports.json'), JSON.stringify({ be1: this.ports.be1.lmtp, be2: this.ports.be2.lmtp }));
  }
}

async function start(t: TestContext): Promise<{ backends: Backends; cluster: TestCluster }> {
  const backends = new Backends(t);
  await Promise.all([backends.start('be1'), backends.start('be2')]);
  const custodians = (['be1', 'be2'] as const).map((node) => ({ kind: 'node', node }) as const);
  const cluster = await startCluster(t, {
    backends: {
      lmtp: (route) => backends.target(route, 'lmtp'),
      submission: (route) => backends.target(route, 'submission'),
      custodians: () => custodians.map((route) => backends.target(route, 'lmtp')).filter((target) => target !== undefined),
    },
  });
  return { backends, cluster };
}

/** The messages of an account's INBOX as text. */
async function inbox(node: TestNode, address: string): Promise<string[]> {
  const found = node.storage.find(address);
  const mailbox = found.at === 'live' ? found.account.mailbox('INBOX') : undefined;
  if (mailbox === undefined) return [];
  return Promise.all(mailbox.rows().map(async ({ uid }) => {
    const message = mailbox.message(uid);
    return message === undefined ? '' : (await message.read(0, message.size)).toString('latin1');
  }));
}

async function eventually(what: () => Promise<boolean>): Promise<void> {
  for (const deadline = Date.now() + 24_000; Date.now() < deadline; await sleep(50)) if (await what()) return;
}

async function open(cluster: TestCluster): Promise<Dialogue> {
  const client = await Dialogue.connect({ port: cluster.mx });
  await client.reply(220);
  await client.ask('EHLO mail.example.net', 250);
  return client;
}

/** Sends as a mail server does: again and again, in a new session, until it is told 250. */
async function sendUntilTaken(cluster: TestCluster, recipients: readonly string[], text: string): Promise<number> {
  for (let attempt = 1; attempt < 60; attempt += 1) {
    const client = await open(cluster);
    try {
      await sendMessage(client, recipients, text);
      await client.reply(250);
      await client.ask('QUIT', 221);
      return attempt;
    } catch (thrown) {
      assert.match(String(thrown), /expected 250|expected 354/);
      await sleep(50);
    } finally {
      client.close();
    }
  }
  throw new Error('never taken');
}

test('one message for users of both back-ends arrives at each once, with the trace of both hops', async (t) => {
  const { backends, cluster } = await start(t);
  await sendUntilTaken(cluster, ['alice@example.com', 'bob@example.com'], 'Subject: both\r\n\r\n..dot\r\n');
  await sleep(500);
  await Promise.all([backends.kill('be1'), backends.kill('be2')]);
  const [be1, be2] = [await backends.inside('be1', t), await backends.inside('be2', t)];
  await eventually(async () => (await inbox(be1, 'alice@example.com')).length > 0 && (await inbox(be2, 'bob@example.com')).length > 0);
  for (const mails of [await inbox(be1, 'alice@example.com'), await inbox(be2, 'bob@example.com')]) {
    assert.equal(mails.length, 1);
    assert.ok(mails[0]?.endsWith('Subject: both\r\n\r\n.dot\r\n'), mails[0]);
    assert.match(mails[0] ?? '', /Received: from mail\.example\.net \(\[127\.0\.0\.1\]\)\s+by fe1\.example\.com with ESMTP/);
  }
});

test('mail for a dead back-end is taken by the other and arrives when it is back', async (t) => {
  const { backends, cluster } = await start(t);
  await backends.kill('be2');
  assert.equal(await sendUntilTaken(cluster, ['bob@example.com'], 'Subject: later\r\n\r\nx\r\n'), 1);
  const be2 = await backends.inside('be2', t);
  await eventually(async () => (await inbox(be2, 'bob@example.com')).length > 0);
  assert.equal((await inbox(be2, 'bob@example.com')).length, 1);
});

test('a user submits through the front-end at his own back-end, for a user of the other: an internationalised message, and a report of its delivery', async (t) => {
  const { backends, cluster } = await start(t);
  const client = await Dialogue.connect({ port: cluster.submissions, tls: 'implicit' });
  await client.reply(220);
  await client.ask('EHLO laptop', 250);
  await client.ask(`AUTH PLAIN ${Buffer.from('\0alice@example.com\0secret').toString('base64')}`, 235);
  await client.ask('MAIL FROM:<alice@example.com> SMTPUTF8 BODY=8BITMIME RET=HDRS ENVID=env7', 250);
  await client.ask('RCPT TO:<bob@example.com> NOTIFY=SUCCESS,FAILURE ORCPT=rfc822;bobby@example.com', 250);
  await client.ask('DATA', 354);
  client.sayRaw('From: alice@example.com\r\nSubject: grüße\r\n\r\nx\r\n.\r\n');
  await client.reply(250);
  await client.ask('QUIT', 221);
  await sleep(500);
  await backends.kill('be2');
  const be2 = await backends.inside('be2', t);
  await eventually(async () => (await inbox(be2, 'bob@example.com')).length > 0);
  const [mail, ...more] = await inbox(be2, 'bob@example.com');
  assert.deepEqual(more, []);
  assert.match(Buffer.from(mail ?? '', 'latin1').toString(), /\r\nSubject: grüße\r\n/u);
  const hops = [...(mail ?? '').matchAll(/\sby (\S+) with (\S+) id/gu)].map(([, by, protocol]) => `${String(by)} ${String(protocol)}`);
  assert.deepEqual(hops, ['be2.example.com UTF8LMTPS', 'be1.example.com UTF8SMTPS', 'fe1.example.com UTF8SMTPSA']);
  await backends.kill('be1');
  const be1 = await backends.inside('be1', t);
  await eventually(async () => (await inbox(be1, 'alice@example.com')).length > 0);
  assert.match((await inbox(be1, 'alice@example.com'))[0] ?? '', /Original-Envelope-Id: env7\r\n[^]*Original-Recipient: rfc822; ?bobby@example\.com\r\nFinal-Recipient: rfc822; bob@example\.com\r\nAction: delivered\r\n/u);
});

test('back-ends are killed during deliveries: every message answered 250 is found, none twice', { timeout: 60_000 }, async (t) => {
  const { backends, cluster } = await start(t);
  const groups = [['alice@example.com'], ['bob@example.com'], ['alice@example.com', 'bob@example.com']];
  let sent = 0;
  let retries = 0;
  let killing = true;
  const sender = async (): Promise<void> => {
    while (killing) {
      const number = sent;
      sent += 1;
      retries += (await sendUntilTaken(cluster, groups[number % 3] ?? [], `Subject: number ${String(number)}\r\n\r\n${'x'.repeat(70)}\r\n`)) - 1;
    }
  };
  const killer = async (): Promise<void> => {
    for (const name of ['be1', 'be2', 'be1', 'be2'] as const) {
      await sleep(300);
      await backends.kill(name);
      await sleep(100);
      await backends.start(name);
    }
    killing = false;
  };
  await Promise.all([...Array.from({ length: 6 }, sender), killer()]);
  await Promise.all([backends.kill('be1'), backends.kill('be2')]);
  const [be1, be2] = [await backends.inside('be1', t), await backends.inside('be2', t)];
  const numbersIn = async (node: TestNode, address: string): Promise<number[]> => (await inbox(node, address)).map((mail) => Number(/Subject: number (\d+)/.exec(mail)?.[1])).toSorted((a, b) => a - b);
  const wanted = (address: string): number[] => Array.from({ length: sent }, (_, number) => number).filter((number) => groups[number % 3]?.includes(address));
  const complete = async (): Promise<boolean> => (await numbersIn(be1, 'alice@example.com')).length >= wanted('alice@example.com').length && (await numbersIn(be2, 'bob@example.com')).length >= wanted('bob@example.com').length;
  await eventually(complete);
  // Whatever would come twice may still be on its way.
  await sleep(500);
  t.diagnostic(`${String(sent)} messages, ${String(retries)} retries`);
  assert.deepEqual(await numbersIn(be1, 'alice@example.com'), wanted('alice@example.com'));
  assert.deepEqual(await numbersIn(be2, 'bob@example.com'), wanted('bob@example.com'));
});
