/** What a running cluster tells of itself: counters at /metrics, the journey of sessions and messages in the logs of all nodes. */
import { after, before, test } from 'node:test';
import assert from 'node:assert/strict';
import { readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import * as https from 'node:https';
import * as path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { gunzipSync, gzipSync } from 'node:zlib';
import { askAdmin, basic, me } from '../harness/admin-api.ts';
import { startCluster } from '../harness/cluster.ts';
import type { Cluster, NodeName } from '../harness/cluster.ts';
import { CommandRunner } from '../harness/command-runner.ts';
import { ImapSession } from '../harness/imap-session.ts';
import { newMessage } from '../harness/messages.ts';
import { readOpenMetrics } from '../harness/open-metrics.ts';
import { programFile } from '../harness/program-file.ts';
import { run } from '../harness/programs.ts';
import { SmtpSession } from '../harness/smtp-session.ts';
import { startWorld } from '../harness/world.ts';
import type { World } from '../harness/world.ts';
import { protocolTraceSuite } from './protocol-trace-suite.ts';

const nodes = ['fe1', 'be1', 'be2'] as const;
/** Must never be in any log, in whatever coat. */
const secret = 'SecretOfCarol7391';
let cluster: Cluster;
let world: World;
let commands: CommandRunner;

/** be1 logs to files, be2 to be1, fe1 to standard output; all of them everything. */
function withLogs(yaml: string): string {
  return yaml
    .replace(/workers: \d+/g, 'workers: 2')
    .replace('  drainSeconds: 5\n', '  drainSeconds: 5\n  log: { level: protocol }\n  reporting: { intervalSeconds: 1, domains: true, accounts: true }\n')
    .replace('serverName: be1.example.com', 'serverName: be1.example.com\n    log: { file: logs/be1.log, rules: [{ priority: 5, hosts: [be2], file: logs/be2.log }] }')
    .replace('serverName: be2.example.com', 'serverName: be2.example.com\n    log: { type: remote, remoteNode: be1 }')
    .replace(/name: admin, .*\n/, (line) => `${line}      - { name: helpdesk, password: { file: secrets/administrator }, allow: [manageReporting], domains: [example.com] }\n      - { name: mailer, password: { file: secrets/administrator }, allow: [manageQueue] }\n`)
    .replace('\nnodes:\n', `\nbackends: { services: { smtpSending: { routes: [{ domain: "*", host: 127.0.0.1, port: ${String(world.port)}, tls: none }] } } }\n\nnodes:\n`);
}

before(async () => {
  world = await startWorld();
  cluster = await startCluster({ nodes, changeConfig: withLogs });
  commands = new CommandRunner(cluster.configFile);
});
after(async () => {
  commands.stop();
  await cluster.stop();
  await world.close();
});

async function get(node: NodeName, path: string, from = '127.0.0.1'): Promise<{ readonly status: number; readonly type: string; readonly text: string }> {
  return new Promise((resolve, reject) => {
    https.get({ host: '127.0.0.1', port: cluster.port(node, 'admin'), path, agent: false, localAddress: from, ca: readFileSync(cluster.authorityFile) }, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (piece: string) => { text += piece; });
      response.on('end', () => resolve({ status: response.statusCode ?? 0, type: String(response.headers['content-type']), text }));
    }).on('error', reject);
  });
}

/** The sum of all samples whose name and labels begin so. */
async function metric(node: NodeName, beginning: string): Promise<number> {
  const { samples } = readOpenMetrics((await get(node, '/metrics')).text);
  return [...samples].filter(([key]) => key.startsWith(beginning)).reduce((sum, [, value]) => sum + value, 0);
}

test('what passes through the cluster is counted at each node, and summed over its workers', async () => {
  const counted = [
    ['fe1', 'waybill_smtp_inbound_connection_total{service="smtpProxy"}', 1], ['fe1', 'waybill_smtp_inbound_message_total{service="smtpProxy"}', 1],
    ['fe1', 'waybill_smtp_inbound_message_to_commands_accepted_total{service="smtpProxy"}', 2], ['fe1', 'waybill_smtp_inbound_message_to_commands_rejected_total{service="smtpProxy"}', 1],
    ['fe1', 'waybill_imap_inbound_connection_authenticated_total{service="imapProxy"}', 3], ['fe1', 'waybill_imap_inbound_connection_authenticated_success_total{service="imapProxy"}', 2],
    ['fe1', 'waybill_login_failed_total{service="imapProxy",reason="bad-credentials"}', 1], ['be1', 'waybill_imap_inbound_connection_authenticated_success_total{service="imap"}', 1],
    ['be2', 'waybill_imap_inbound_connection_authenticated_success_total{service="imap"}', 1], ['be2', 'waybill_imap_command_total{command="SELECT"', 1],
  ] as const;
  const before = new Map(await Promise.all(counted.map(async ([node, name]) => [name, await metric(node, name)] as const)));
  const smtp = await SmtpSession.connect(cluster, 'fe1');
  await smtp.say('MAIL FROM:<sender@example.net>');
  for (const to of ['alice', 'nobody', 'bob']) await smtp.say(`RCPT TO:<${to}@example.com>`);
  await smtp.say('DATA');
  assert.match(await smtp.sayMessage(newMessage().bytes), /^250/);
  await smtp.say('QUIT');
  const [alice, bob] = [await ImapSession.logIn(cluster, { node: 'fe1', user: 'alice' }), await ImapSession.logIn(cluster, { node: 'fe1', user: 'bob' })];
  await bob.ok('SELECT INBOX');
  const guesser = await ImapSession.connect(cluster, 'fe1');
  assert.match((await guesser.run('LOGIN alice wrong')).completion, /^NO/);
  for (const [node, name, more] of counted) assert.equal(await metric(node, name) - (before.get(name) ?? 0), more, name);
  assert.equal(await metric('fe1', 'waybill_proxy_sessions{service="imapProxy",node="be1"}'), 1);
  assert.equal(await metric('fe1', 'waybill_proxy_sessions{service="imapProxy",node="be2"}'), 1);
  assert.equal(await metric('fe1', 'waybill_proxy_sessions{service="imapProxy",node="none"}'), 1);
  assert.equal(await metric('fe1', 'waybill_imap_inbound_connection_open{service="imapProxy"}'), 3);
  for (const session of [alice, bob, guesser]) session.dialogue.close();
  for (let turn = 0; turn < 100 && await metric('fe1', 'waybill_imap_inbound_connection_open{service="imapProxy"}') !== 0; turn += 1) await sleep(50);
  assert.equal(await metric('fe1', 'waybill_imap_inbound_connection_open{service="imapProxy"}'), 0);
});

test('each node tells of itself: workers, event loop, directory, back-ends, queue, storages, certificates', async () => {
  for (const node of nodes) {
    const { status, type, text } = await get(node, '/metrics');
    assert.deepEqual([status, type], [200, 'application/openmetrics-text; version=1.0.0; charset=utf-8']);
    const { samples } = readOpenMetrics(text);
    assert.equal(samples.get('waybill_workers{stage="ready"}'), 2, node);
    const positive = ['waybill_process_resident_memory_bytes', 'waybill_process_cpu_seconds_total{mode="user"}', 'waybill_certificate_expiry_timestamp_seconds{certificate="clients"}',
      ...(node === 'fe1' ? ['waybill_backend_connect_seconds_count{node="be1"}', 'waybill_directory_operation_seconds_count{use="shared"}', 'waybill_route_lookup_total{answer="misses"}']
        : ['waybill_storage_free_bytes{storage="0"}', 'waybill_storage_accounts', 'waybill_storage_size_bytes{storage="0",part="index"}'])];
    for (const name of positive) assert.ok((samples.get(name) ?? 0) > 0, `${node} ${name} in\n${text}`);
    assert.ok((samples.get('waybill_certificate_expiry_timestamp_seconds{certificate="node"}') ?? 0) > Date.now() / 1000);
    assert.ok(samples.has('waybill_event_loop_lag_seconds{quantile="0.99"}'));
    assert.deepEqual(text.split('\n').filter((line) => /@|127\.0\.0\./.test(line.replace(/listener="[^"]*"/, ''))), [], 'no label is the address of a user or client; listeners are those of the configuration');
  }
  assert.ok(await metric('be1', 'waybill_processing_delivery_total') + await metric('be2', 'waybill_processing_delivery_total') >= 2, 'one custodian delivered to two nodes');
});

interface Entry {
  readonly host: string;
  readonly msg: string;
  readonly session?: string;
  readonly [name: string]: unknown;
}

async function trace(...words: string[]): Promise<readonly Entry[]> {
  const { code, output, complaint } = await commands.run(['trace', '--json', ...words]);
  assert.deepEqual([code, complaint.replace(/\(.*\)/, '()')], [1, 'waybill: fe2 does not answer ()\n'], 'fe2 is not there in this test, and nobody else is missing');
  return (JSON.parse(output) as { entries: Entry[] }).entries;
}

/** Traces until it is all there: the queue works in its own time. */
async function traceUntil(what: string, isWhole: (entries: readonly Entry[]) => boolean): Promise<readonly Entry[]> {
  for (const deadline = Date.now() + 60_000; ;) {
    const entries = await trace(what);
    if (isWhole(entries)) return entries;
    assert.ok(Date.now() < deadline, `not all there: ${JSON.stringify(entries, null, 1)}`);
    await sleep(200);
  }
}

const deliveries = (entries: readonly Entry[]): readonly Entry[] => entries.filter(({ msg, outcome }) => msg === 'delivery tried' && outcome === 'delivered');
const of = (entries: readonly Entry[], node: string, msg: string): Entry | undefined => entries.find((entry) => entry.host === node && entry.msg === msg);

test('a message is followed from the front-end through the queue to accounts of two nodes and to a server outside', async () => {
  const message = newMessage({ from: 'alice@example.com', text: `${secret} in a text.\r\n` });
  const smtp = await SmtpSession.connect(cluster, 'fe1', 'submission');
  assert.match(await smtp.authenticate('alice', cluster.password), /^235/);
  const reply = await smtp.send({ from: 'alice@example.com', to: ['alice@example.com', 'bob@example.com', 'zoe@elsewhere.example'], bytes: message.bytes });
  await smtp.say('QUIT');
  const reference = /reference (\S+)/.exec(reply)?.[1] ?? '';
  const entries = await traceUntil(reference, (found) => of(found, 'be2', 'message delivered') !== undefined && deliveries(found).length >= 3);
  const answered = of(entries, 'fe1', 'submission answered');
  const queued = of(entries, 'be1', 'message queued');
  assert.equal(queued?.['session'], answered?.session, 'one id at front-end and back-end');
  const item = String(queued?.['item']);
  assert.match(JSON.stringify(of(entries, 'be1', 'message stored')?.['stored']), /^\[\{"account":"alice@example.com","mailbox":"INBOX","uid":\d+\}\]$/);
  const tries = deliveries(entries);
  assert.deepEqual(tries.map(({ recipient, outcome, item: of }) => [recipient, outcome, of]).sort(), ['alice@example.com', 'bob@example.com', 'zoe@elsewhere.example'].map((to) => [to, 'delivered', item]));
  assert.match(String(tries.find(({ recipient }) => String(recipient).startsWith('zoe'))?.['reply']), /queued as world-\d+/);
  const there = of(entries, 'be2', 'message delivered');
  assert.equal(there?.['handedOver'], `be1-${item}`);
  assert.match(JSON.stringify(there?.['stored']), /"account":"bob@example.com","mailbox":"INBOX","uid":\d+/);
  assert.ok((await trace('bob@example.com', '--since', '1h')).some(({ host, msg }) => host === 'be2' && msg === 'message delivered'));
  assert.deepEqual(await trace(reference, '--since', new Date(Date.now() + 60_000).toISOString()), []);
  const { output } = await run(process.execPath, [programFile, 'trace', '--config', cluster.configFile, item]);
  assert.match(output, /^TIME +NODE +SERVICE +SESSION +MESSAGE +WHAT\n/);
  assert.match(output, new RegExp(`be2 .*message delivered: .*handedOver=be1-${item}`));
});

test('log files that were put away and compressed are searched, too; nonsense is refused', async () => {
  const folder = path.join(cluster.folder, 'logs');
  const text = readFileSync(path.join(folder, 'be1.log'));
  const id = (JSON.parse(text.toString().split('\n').find((line) => line.includes('message queued')) ?? '{}') as Entry)['item'];
  renameSync(path.join(folder, 'be1.log'), path.join(folder, 'moved'));
  writeFileSync(path.join(folder, `be1.log.${new Date().toISOString().replace(/[:.]/g, '-')}.gz`), gzipSync(readFileSync(path.join(folder, 'moved'))));
  rmSync(path.join(folder, 'moved'));
  assert.ok(of(await trace(String(id)), 'be1', 'message stored') !== undefined);
  for (const [words, complaint] of [[['x'], /say an id or an address/], [['alice@example.com', '--since', 'yesterday'], /--since is a span/]] as const) {
    const refused = await commands.run(['trace', ...words]);
    assert.equal(refused.code, 1);
    assert.match(refused.complaint, complaint);
  }
});

async function report(...words: string[]): Promise<{ readonly nodes: readonly { readonly node: string; readonly samples: readonly { readonly counter: string; readonly value: number }[] }[] }> {
  const { output, complaint } = await commands.run(['report', '--json', ...words]);
  assert.match(complaint, /^waybill: fe2 does not answer .*\n$|^$/);
  return JSON.parse(output) as Awaited<ReturnType<typeof report>>;
}

test('reports tell what was counted of servers, a domain and an account; nonsense is refused', async () => {
  const sum = (told: Awaited<ReturnType<typeof report>>, node: string, counter: string): number =>
    told.nodes.filter((one) => one.node === node).flatMap(({ samples }) => samples).filter((one) => one.counter === counter).reduce((total, { value }) => total + value, 0);
  const session = await ImapSession.logIn(cluster, { node: 'fe1', user: 'dave' });
  for (const deadline = Date.now() + 60_000; sum(await report('--account', 'dave@example.com'), 'be2', 'logins') !== 1;) {
    assert.ok(Date.now() < deadline, 'counted in time');
    await sleep(200);
  }
  session.dialogue.close();
  assert.ok(sum(await report('--domain', 'example.com'), 'be2', 'logins') >= 1);
  const servers = await report();
  for (const [node, counter] of [['fe1', 'imap_inbound_connection_authenticated_success/imapProxy'], ['be2', 'imap_inbound_connection_authenticated_success/imap']] as const) {
    assert.ok(sum(servers, node, counter) >= 1, `${node} ${counter}`);
  }
  assert.equal(sum(await report('--account', 'dave@example.com', '--from', '2d', '--to', '1d'), 'be2', 'logins'), 0);
  const { output } = await run(process.execPath, [programFile, 'report', '--config', cluster.configFile, '--account', 'dave@example.com']);
  assert.match(output, /^COUNTER +be1 +be2\nlogins +0 +1$/m);
  for (const words of [['--domain', 'a.example', '--account', 'x@a.example'], ['--from', 'soon'], ['--from', '1h', '--to', '2h']]) {
    assert.equal((await commands.run(['report', ...words])).code, 1);
  }
});

interface Chart {
  readonly nodes: readonly { readonly node: string; readonly keeps: string; readonly stepMs: number; readonly series: readonly { readonly counter: string; readonly kind: string; readonly points: readonly (readonly [number, number])[] }[] }[];
  readonly silent: readonly { readonly node: string }[];
}

test('any node tells the series of all for charts; administrators of domains see only these', async () => {
  const chart = async (node: NodeName, query: object, name = 'admin'): Promise<{ readonly status: number; readonly told: Chart }> => {
    const { status, body } = await askAdmin(cluster, [node, `/api/v1/report?${new URLSearchParams({ from: String(Date.now() - 3_600_000), ...query }).toString()}`], { headers: basic(name, me.password) });
    return { status, told: body as unknown as Chart };
  };
  const logins = 'imap_inbound_connection_authenticated_success/imapProxy';
  (await ImapSession.logIn(cluster, { node: 'fe1', user: 'dave' })).close();
  for (const deadline = Date.now() + 60_000; !(await chart('be1', { counters: `${logins},storage_free_bytes` })).told.nodes.every(({ series }) => series.length > 0);) assert.ok(Date.now() < deadline, 'sampled in time');
  for (const node of ['fe1', 'be2'] as const) {
    const { told } = await chart(node, { counters: `${logins},storage_free_bytes`, points: 2 });
    assert.deepEqual([told.nodes.map((one) => `${one.node} ${one.keeps}`), told.silent.map((one) => one.node)], [['fe1 window', 'be1 file', 'be2 file'], ['fe2']]);
    assert.deepEqual(told.nodes.map(({ series }) => series.map(({ counter, kind, points }) => `${counter} ${kind} ${points.length <= 2 ? 'few' : 'many'} ${points.every(([, value]) => value > 0) ? 'positive' : 'zero'}`)),
      [[`${logins} growth few positive`], ['storage_free_bytes level few positive'], ['storage_free_bytes level few positive']]);
  }
  const whole = (await chart('be1', { scope: 'account', name: 'Dave@example.com' }, 'helpdesk')).told;
  assert.equal(whole.nodes.find(({ node }) => node === 'be2')?.series.find(({ counter }) => counter === 'logins')?.points.reduce((sum, [, value]) => sum + value, 0) !== undefined, true);
  const refused = [[{ scope: 'domain', name: 'other.example' }, 'helpdesk', 403], [{ scope: 'account', name: 'dave@other.example' }, 'helpdesk', 403], [{}, 'helpdesk', 403], [{}, 'mailer', 403],
    [{ scope: 'domain' }, 'admin', 400], [{ name: 'x' }, 'admin', 400], [{ points: 0 }, 'admin', 400], [{ from: 'yesterday' }, 'admin', 400], [{ counters: "'" }, 'admin', 400], [{ to: 1 }, 'admin', 400]] as const;
  for (const [query, name, status] of refused) assert.equal((await chart('be1', query, name)).status, status, JSON.stringify(query));
});

protocolTraceSuite(() => cluster, () => commands, secret);

/** Of a log file, or one that was put away and compressed. */
function textOf(file: string): string {
  const bytes = readFileSync(file);
  return (file.endsWith('.gz') ? gunzipSync(bytes) : bytes).toString('utf8');
}

test('neither passwords nor texts of messages are in any log, at the most verbose level, whatever the mechanism', async () => {
  const base64 = (text: string): string => Buffer.from(text).toString('base64');
  const coats = [secret, base64(secret).replace(/=+$/, ''), base64(`\0carol\0${secret}`).replace(/=+$/, '')];
  const imap = await ImapSession.connect(cluster, 'fe1');
  for (const command of [`LOGIN carol ${secret}`, `AUTHENTICATE PLAIN ${base64(`\0carol\0${secret}`)}`]) assert.match((await imap.run(command)).completion, /^(NO|BAD)/);
  imap.dialogue.close();
  const smtp = await SmtpSession.connect(cluster, 'fe1', 'submission');
  for (const mechanism of ['PLAIN', 'LOGIN'] as const) assert.match(await smtp.authenticate('carol', secret, mechanism), /^[45]/);
  smtp.dialogue.close();
  const logs = [...nodes.map((node) => cluster.log(node)), ...readdirSync(path.join(cluster.folder, 'logs')).map((name) => textOf(path.join(cluster.folder, 'logs', name)))].join('\n');
  assert.ok((logs.match(/"user":"carol"/g) ?? []).length >= 2 && logs.includes('"msg":"connected"'), 'the attempts are there, and lines of the level protocol');
  for (const coat of coats) assert.ok(!logs.includes(coat), `${coat} stands in a log`);
});

test('a back-end that is told to stop ends in good order: what it counted last is told without a fault', async () => {
  const before = cluster.log('be1').length;
  assert.equal(await cluster.stopNode('be1'), 0);
  const said = [cluster.log('be1').slice(before), textOf(path.join(cluster.folder, 'logs', 'be1.log'))].join('\n');
  for (const fault of ['fault in a worker', 'closed database', 'did not stop cleanly']) assert.ok(!said.includes(fault), said.split('\n').filter((line) => line.includes(fault)).join('\n'));
});
