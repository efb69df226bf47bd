import assert from 'node:assert/strict';
import { test } from 'node:test';
import { clientNetwork, networkContains, parseNetwork } from '../../../shared/access/network.ts';

for (const [network, inside, outside] of [
  ['192.0.2.0/24', ['192.0.2.0', '192.0.2.255', '::ffff:192.0.2.7'], ['192.0.3.0', '::', 'x', '']],
  ['10.0.0.1', ['10.0.0.1'], ['10.0.0.2']],
  ['0.0.0.0/0', ['1.2.3.4'], ['::1']],
  ['2001:db8::/33', ['2001:db8::1', '2001:db8:7fff::'], ['2001:db8:8000::', '1.2.3.4']],
  ['::1', ['::1', '[::1]', '0:0:0:0:0:0:0:1', '::1%lo'], ['::2']],
  ['fe80::/10', ['fe80::1', 'febf::'], ['fec0::']],
] as const) {
  test(`${network} contains what it should`, () => {
    for (const address of inside) assert.ok(networkContains(parseNetwork(network), address), address);
    for (const address of outside) assert.ok(!networkContains(parseNetwork(network), address), address);
  });
}

for (const text of ['', 'x', '1.2.3', '1.2.3.256', '1.2.3.4/33', '1.2.3.4/-1', '::1/129', ':::', '1::2::3', '1:2:3:4:5:6:7', '1.2.3.4/8/8', '12345::', '::1.2.3.999']) {
  test(`"${text}" is no network`, () => {
    assert.throws(() => parseNetwork(text), /is not a network/);
  });
}

test('a client commands an IPv4 address or an IPv6 /64', () => {
  assert.equal(clientNetwork('192.0.2.1'), clientNetwork('::ffff:192.0.2.1'));
  assert.notEqual(clientNetwork('192.0.2.1'), clientNetwork('192.0.2.2'));
  assert.equal(clientNetwork('2001:db8:1:2::1'), clientNetwork('2001:db8:1:2:ffff::'));
  assert.notEqual(clientNetwork('2001:db8:1:2::1'), clientNetwork('2001:db8:1:3::1'));
});
