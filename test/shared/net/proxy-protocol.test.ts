/** The PROXY protocol's grammar: what balancers send is read, and nothing else is. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { parseAddress } from '../../../shared/access/network.ts';
import { proxyHeader } from '../../../shared/net/proxy-header.ts';
import { crc32c, parseProxyHeader } from '../../../shared/net/proxy-protocol.ts';
import { proxyHeaderV2, tlv } from '../../harness/proxy-headers.ts';

const port = fc.integer({ min: 0, max: 65535 });
const rest = fc.uint8Array({ maxLength: 300 });

test('a version 1 line gives the client\'s address, whatever follows it', () => {
  const ends = fc.record({ source: fc.ipV4(), destination: fc.ipV4(), from: port, to: port });
  fc.assert(fc.property(ends, rest, ({ source, destination, from, to }, after) => {
    const line = `PROXY TCP4 ${source} ${destination} ${String(from)} ${String(to)}\r\n`;
    assert.deepEqual(parseProxyHeader(Buffer.concat([Buffer.from(line), after])), {
      kind: 'client', length: line.length, client: { address: source, port: from, overTls: 'no' },
    });
  }));
});

test('version 1 with IPv6, and UNKNOWN with anything behind it', () => {
  const line = 'PROXY TCP6 2001:db8::7 2001:db8::1 4711 993\r\n';
  assert.deepEqual(parseProxyHeader(Buffer.from(line)), { kind: 'client', length: line.length, client: { address: '2001:db8::7', port: 4711, overTls: 'no' } });
  assert.deepEqual(parseProxyHeader(Buffer.from('PROXY UNKNOWN\r\n')), { kind: 'local', length: 15 });
  const long = 'PROXY UNKNOWN ffff:f...f:ffff ffff:f...f:ffff 65535 65535\r\nmore';
  assert.deepEqual(parseProxyHeader(Buffer.from(long)), { kind: 'local', length: long.length - 4 });
});

test('bad version 1 lines are malformed', () => {
  const lines = [
    'PROXY TCP4 1.2.3.4 1.2.3.4 1\r\n', 'PROXY TCP4 1.2.3.4 1.2.3.4 1 2 3\r\n', 'PROXY TCP4 1.2.3 1.2.3.4 1 2\r\n', 'PROXY TCP4 ::1 ::1 1 2\r\n',
    'PROXY TCP6 1.2.3.4 1.2.3.4 1 2\r\n', 'PROXY TCP4 1.2.3.4 1.2.3.4 01 2\r\n', 'PROXY TCP4 1.2.3.4 1.2.3.4 65536 2\r\n', 'PROXY UDP4 1.2.3.4 1.2.3.4 1 2\r\n',
    'PROXY  TCP4 1.2.3.4 1.2.3.4 1 2\r\n', `PROXY TCP4 ${'1'.repeat(110)}`, 'EHLO you\r\n', 'PROXX', '\x16\x03\x01', 'proxy TCP4 1.2.3.4 1.2.3.4 1 2\r\n',
  ];
  for (const line of lines) assert.equal(parseProxyHeader(Buffer.from(line)).kind, 'malformed', line);
});

test('a version 2 header gives the client\'s address, TLS and all', () => {
  const extra = fc.array(fc.tuple(fc.constantFrom(0x01, 0x02, 0x04, 0x05, 0x30, 0xea), fc.uint8Array({ maxLength: 100 })), { maxLength: 5 });
  const client = fc.record({ address: fc.ipV4(), from: port, ssl: fc.boolean() });
  fc.assert(fc.property(client, extra, rest, ({ address, from, ssl }, others, after) => {
    const tlvs = [...others.map(([type, value]) => tlv(type, Buffer.from(value))), tlv(0x20, Buffer.from([ssl ? 1 : 0, 0, 0, 0, 0, 0x21, 0, 2, 0x76, 0x31]))];
    const header = proxyHeaderV2({ address, port: from, tlvs, checksum: 'yes' });
    assert.deepEqual(parseProxyHeader(Buffer.concat([header, after])), {
      kind: 'client', length: header.length, client: { address, port: from, overTls: ssl ? 'yes' : 'no' },
    });
  }));
});

test('version 2 with IPv6 in its shortest form', () => {
  const read = parseProxyHeader(proxyHeaderV2({ address: '2001:db8:0:0:0:0:0:99', port: 5 }));
  assert.deepEqual(read.kind === 'client' && read.client, { address: '2001:db8::99', port: 5, overTls: 'no' });
});

test('LOCAL, unspecified and UNIX addresses leave the socket\'s own end', () => {
  assert.deepEqual(parseProxyHeader(proxyHeaderV2({ command: 0, address: '192.0.2.1', port: 1 })), { kind: 'local', length: 28 });
  assert.deepEqual(parseProxyHeader(proxyHeaderV2({ family: 0x00 })), { kind: 'local', length: 16 });
  assert.equal(parseProxyHeader(proxyHeaderV2({ family: 0x31, block: Buffer.alloc(216) })).kind, 'local');
});

test('bad version 2 headers are malformed', () => {
  const good = proxyHeaderV2({ address: '192.0.2.1', port: 1, checksum: 'yes' });
  const changed = (at: number, value: number): Buffer => {
    const copy = Buffer.from(good);
    copy[at] = value;
    return copy;
  };
  assert.equal(parseProxyHeader(good).kind, 'client');
  for (const [what, bytes] of Object.entries({
    version: changed(12, 0x31), command: changed(12, 0x22), datagram: changed(13, 0x12), family: changed(13, 0x41), checksum: changed(17, 77),
    'too long': Buffer.concat([good.subarray(0, 14), Buffer.from([0xff, 0xff])]),
    'addresses cut off': proxyHeaderV2({ family: 0x21, block: Buffer.alloc(12) }),
    'TLV without a length': proxyHeaderV2({ address: '192.0.2.1', tlvs: [Buffer.from([1, 0])] }),
    'TLV beyond the end': proxyHeaderV2({ address: '192.0.2.1', tlvs: [Buffer.from([1, 0, 9, 1])] }),
    'short SSL': proxyHeaderV2({ address: '192.0.2.1', tlvs: [tlv(0x20, Buffer.from([1, 0]))] }),
  })) assert.equal(parseProxyHeader(bytes).kind, 'malformed', what);
});

test('every beginning of a header is incomplete, and no bytes at all make the parser throw', () => {
  const headers = [Buffer.from('PROXY TCP4 192.0.2.1 192.0.2.2 65535 25\r\n'), proxyHeaderV2({ address: '192.0.2.1', port: 1, tlvs: [tlv(4, Buffer.alloc(9))], checksum: 'yes' })];
  for (const header of headers) {
    for (let length = 0; length < header.length; length += 1) assert.equal(parseProxyHeader(header.subarray(0, length)).kind, 'incomplete');
  }
  const start = fc.constantFrom(Buffer.alloc(0), Buffer.from('PROXY '), Buffer.from('PROXY TCP4 '), headers[1]?.subarray(0, 12) ?? Buffer.alloc(0), headers[1]?.subarray(0, 14) ?? Buffer.alloc(0));
  fc.assert(fc.property(start, fc.uint8Array({ maxLength: 5000 }), (head, tail) => {
    const read = parseProxyHeader(Buffer.concat([head, tail]));
    if (read.kind === 'incomplete') assert.ok(head.length + tail.length < 4096);
    if (read.kind === 'client' || read.kind === 'local') assert.ok(read.length <= head.length + tail.length);
  }), { numRuns: 2000 });
});

test('the checksum is CRC-32C', () => {
  assert.equal(crc32c(Buffer.from('123456789')), 0xe3069283);
});

test('what we write is read back: the client, whatever family its ends are of, and nobody for connections of our own', () => {
  const end = fc.record({ address: fc.oneof(fc.ipV4(), fc.ipV6()), port });
  fc.assert(fc.property(fc.constantFrom('v1', 'v2'), fc.record({ client: end, connectedTo: fc.option(end, { nil: undefined }) }), rest, (version, { client, connectedTo }, after) => {
    const header = proxyHeader(version, { ...client, connectedTo });
    const read = parseProxyHeader(Buffer.concat([header, after]));
    assert.equal(read.kind === 'client' && read.length, header.length);
    assert.equal(read.kind === 'client' && read.client.port, client.port);
    assert.deepEqual(read.kind === 'client' && parseAddress(read.client.address), parseAddress(client.address));
  }));
  for (const version of ['v1', 'v2'] as const) {
    for (const nobody of [undefined, { address: 'nowhere', port: 1 }]) {
      const header = proxyHeader(version, nobody);
      assert.deepEqual(parseProxyHeader(header), { kind: 'local', length: header.length });
    }
  }
});

test('the headers that we write, byte for byte', () => {
  const ends = { address: '192.0.2.7', port: 4711, connectedTo: { address: '198.51.100.1', port: 993 } };
  assert.equal(proxyHeader('v1', ends).toString(), 'PROXY TCP4 192.0.2.7 198.51.100.1 4711 993\r\n');
  assert.equal(proxyHeader('v1', { ...ends, address: '2001:db8::7' }).toString(), 'PROXY TCP6 2001:db8:0:0:0:0:0:7 0:0:0:0:0:ffff:c633:6401 4711 993\r\n');
  assert.equal(proxyHeader('v2', ends).toString('hex'), '0d0a0d0a000d0a515549540a2111000cc0000207c6336401126703e1');
});
