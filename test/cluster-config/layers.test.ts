/** What results for each node when the layers of a document are laid over one another. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { nodeOfMailHost } from '../../cluster-config/effective.ts';
import type { NodeConfig } from '../../cluster-config/effective.ts';
import { parseConfig } from '../../cluster-config/load.ts';
import { sample, sampleFile, sampleWith } from './sample.ts';

function node(text: string, name: string): NodeConfig {
  const config = parseConfig(text, sampleFile).nodes[name];
  assert.ok(config, `${name} is in the document`);
  return config;
}

test('a later layer wins: default, cluster, role, node', () => {
  const cluster = sampleWith('primaryDomain:', 'drainSeconds: 5\n  workers: 7\n  primaryDomain:');
  assert.equal(node(sample, 'fe1').log.level, 'informational');
  assert.equal(node(cluster, 'fe1').workers, 7);
  assert.equal(node(cluster, 'fe1').drainSeconds, 20);
  assert.equal(node(cluster, 'be1').drainSeconds, 30);
});

test('maps are merged and lists are replaced whole', () => {
  const text = sampleWith('backends:\n', 'backends:\n  services: { imap: { maxAuthErrors: 9, listeners: [{ address: "10.0.0.2:1" }] } }\n');
  const { imap } = node(text, 'be1').services;
  assert.equal(imap.maxAuthErrors, 9);
  assert.equal(imap.maxErrors, 5);
  assert.deepEqual(imap.listeners.map((listener) => listener.address), ['10.0.0.2:143', '10.0.0.2:993']);
});

test('a secret in a later layer replaces one that is kept elsewhere', () => {
  const text = sampleWith('primaryDomain:', 'cookieSecret: { file: cookie }\n  primaryDomain:').replace('drainSeconds: 20', 'cookieSecret: { env: COOKIE }');
  assert.deepEqual(node(text, 'fe1').cookieSecret, { env: 'COOKIE' });
  assert.deepEqual(node(text, 'be1').cookieSecret, { file: '/etc/waybill/cookie' });
});

test('every file name counts from the folder of the configuration', () => {
  const text = sampleWith('drainSeconds: 20', 'sslRandomFile: seed\n  log: { file: log/x.log }\n  cookieSecret: { file: ../cookie }');
  const frontend = node(text, 'fe1');
  assert.equal(frontend.tls.certificate, '/etc/waybill/tls/server.pem');
  assert.equal(frontend.tls.clusterAuthority, '/tls/ca.pem');
  assert.equal(frontend.sslRandomFile, '/etc/waybill/seed');
  assert.equal(frontend.log.file, '/etc/waybill/log/x.log');
  assert.deepEqual(frontend.cookieSecret, { file: '/etc/cookie' });
  assert.deepEqual(frontend.ldapConnectors[0]?.bindPassword, { file: '/etc/waybill/secrets/reader' });
  assert.deepEqual(frontend.userMaps[1], { name: 'moving', type: 'localFile', file: '/etc/waybill/moving.map', domains: ['old.example.com'] });
  assert.deepEqual(node(sample, 'be1').storage.directories, ['/etc/waybill/mail/one', '/etc/waybill/mail/two']);
});

test('each node knows the others and the ports of their trusted listeners', () => {
  const { nodes, serverName, primaryDomain } = node(sample, 'fe1');
  assert.deepEqual(nodes['be1'], { name: 'be1', role: 'backend', host: '10.0.0.2', endpoints: { imap: 993, admin: 900 } });
  assert.deepEqual(nodes['fe1']?.endpoints, {});
  assert.equal(serverName, 'example.com');
  assert.equal(primaryDomain, 'example.com');
});

test('a mailHost names a node by name, by host, or by host and port; never a front-end by host', () => {
  const { nodes } = node(sample, 'fe1');
  assert.equal(nodeOfMailHost(nodes, 'BE1'), 'be1');
  assert.equal(nodeOfMailHost(nodes, '10.0.0.2'), 'be1');
  assert.equal(nodeOfMailHost(nodes, '10.0.0.2:993'), 'be1');
  assert.equal(nodeOfMailHost(nodes, '10.0.0.2:5'), undefined);
  assert.equal(nodeOfMailHost(nodes, '10.0.0.1'), undefined);
  assert.equal(nodeOfMailHost(nodes, 'imap.elsewhere.example'), undefined);
  assert.equal(nodeOfMailHost(nodes, '__proto__'), undefined);
  assert.equal(nodeOfMailHost(nodes, undefined), undefined);
});

test('the version is a digest of the text', () => {
  assert.equal(parseConfig(sample, 'a').version, parseConfig(sample, 'b').version);
  assert.notEqual(parseConfig(sample, 'a').version, parseConfig(`${sample}# changed\n`, 'a').version);
});
