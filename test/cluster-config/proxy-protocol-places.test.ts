/** Which listeners expect a PROXY header: the general list, a listener's own, and neither for listeners of nodes. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { networkContains } from '../../shared/access/network.ts';
import { balancersOf } from '../../cluster-config/listeners.ts';

const config = { proxyProtocolFrom: ['192.0.2.0/24'], trustProxyTls: true };

function believes(listener: { readonly trusted?: boolean; readonly proxyProtocolFrom?: readonly string[] }, address: string): boolean {
  const balancers = balancersOf(config, { forNodes: listener.trusted === true, ...listener });
  return balancers?.networks.some((network) => networkContains(network, address)) ?? false;
}

test('a listener follows the general list unless it has its own, and an empty one is its own too', () => {
  assert.equal(believes({}, '192.0.2.9'), true);
  assert.equal(believes({ proxyProtocolFrom: ['198.51.100.1'] }, '192.0.2.9'), false);
  assert.equal(believes({ proxyProtocolFrom: ['198.51.100.1'] }, '198.51.100.1'), true);
  assert.equal(believes({ proxyProtocolFrom: [] }, '192.0.2.9'), false);
});

test('nodes reach trusted listeners directly: only their own list counts there', () => {
  assert.equal(believes({ trusted: true }, '192.0.2.9'), false);
  assert.equal(believes({ trusted: true, proxyProtocolFrom: ['192.0.2.9'] }, '192.0.2.9'), true);
});
