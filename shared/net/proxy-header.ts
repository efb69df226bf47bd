/**
 * The PROXY protocol as we speak it to servers of other kinds (pure): the header by which they hear whose connection it is.
 * Source: "The PROXY protocol", HAProxy's doc/proxy-protocol.txt.
 */
import { parseAddress } from '../access/network.ts';
import type { Address } from '../access/network.ts';
import { signature } from './proxy-protocol.ts';

export type ProxyVersion = 'v1' | 'v2';

interface End {
  readonly address: string;
  readonly port: number;
}

/** A client's connection: where it comes from, and where it led to as far as that is known. */
export interface ProxiedEnds extends End {
  readonly connectedTo?: End | undefined;
}

/** The header for a client's connection; without a client for one of our own (LOCAL, UNKNOWN), as for a client without an IP address. */
export function proxyHeader(version: ProxyVersion, ends: ProxiedEnds | undefined): Buffer {
  const [source, destination] = [ends, ends?.connectedTo].map((end) => (end === undefined ? undefined : parseAddress(end.address)));
  if (ends === undefined || source === undefined) return version === 'v1' ? Buffer.from('PROXY UNKNOWN\r\n') : versionTwo(0x20, 0x00, Buffer.alloc(0));
  // One family for both ends (section 2.1): IPv4 in IPv6 form beside IPv6. An end that is not known is "any".
  const family = source.family === 6 || destination?.family === 6 ? 6 : 4;
  const addresses = [bytesOf(source, family), bytesOf(destination ?? { family, bits: 0n }, family)];
  const ports = [ends.port, destination === undefined ? 0 : ends.connectedTo?.port ?? 0];
  if (version === 'v1') return Buffer.from(`PROXY TCP${String(family)} ${addresses.map(textOf).join(' ')} ${ports.join(' ')}\r\n`);
  const portBytes = Buffer.alloc(4);
  for (const [at, port] of ports.entries()) portBytes.writeUInt16BE(port, 2 * at);
  return versionTwo(0x21, family === 4 ? 0x11 : 0x21, Buffer.concat([...addresses, portBytes]));
}

/** Section 2.2. */
function versionTwo(versionAndCommand: number, familyAndProtocol: number, block: Buffer): Buffer {
  const fixed = Buffer.from([versionAndCommand, familyAndProtocol, block.length >> 8, block.length & 0xff]);
  return Buffer.concat([signature, fixed, block]);
}

function bytesOf({ family, bits }: Address, wanted: 4 | 6): Buffer {
  const whole = wanted === 6 && family === 4 ? (0xffffn << 32n) | bits : bits;
  return Buffer.from(whole.toString(16).padStart(wanted === 4 ? 8 : 32, '0'), 'hex');
}

function textOf(bytes: Buffer): string {
  return bytes.length === 4 ? bytes.join('.') : (bytes.toString('hex').match(/.{4}/g) ?? []).map((group) => group.replace(/^0{1,3}/, '')).join(':');
}
