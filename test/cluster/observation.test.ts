/** What a running cluster tells of itself: counters at /metrics, the journey of sessions and messages in the logs of all nodes. */
import { after, before, test } from 'node:test';
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import * as https from 'node:https';
import { setTimeout as sleep } from 'node:timers/promises';
import { startCluster } from '../harness/cluster.ts';
import type { Cluster, NodeName } from '../harness/cluster.ts';
import { ImapSession } from '../harness/imap-session.ts';
import { newMessage } from '../harness/messages.ts';
import { readOpenMetrics } from '../harness/open-metrics.ts';
import { SmtpSession } from '../harness/smtp-session.ts';

const nodes = ['fe1', 'be1', 'be2'] as const;
let cluster: Cluster;

before(async () => {
  cluster = await startCluster({ nodes, changeConfig: (yaml) => yaml.replace(/workers: \d+/g, 'workers: 2') });
});
after(async () => cluster.stop());

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
    assert.ok(!text.includes('@') && !text.includes('127.0.0.1'), 'no label is an address');
  }
  assert.ok(await metric('be1', 'waybill_processing_delivery_total') + await metric('be2', 'waybill_processing_delivery_total') >= 2, 'one custodian delivered to two nodes');
});
