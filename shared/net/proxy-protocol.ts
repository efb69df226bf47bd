/**
 * The PROXY protocol, versions 1 and 2 (pure): the header by which a load balancer tells whose connection it passes on.
 * Source: "The PROXY protocol", HAProxy's doc/proxy-protocol.txt.
 */
import { isIPv4, isIPv6 } from 'node:net';

/** The client of a connection that a balancer passed on. */
export interface ProxiedClient {
  readonly address: string;
  readonly port: number;
  /** `yes`: the client spoke TLS with the balancer (PP2_TYPE_SSL with PP2_CLIENT_SSL, version 2 only). */
  readonly overTls: 'yes' | 'no';
}

export type ProxyHeader =
  /** More bytes are needed. */
  | { readonly kind: 'incomplete' }
  | { readonly kind: 'malformed'; readonly reason: string }
  /** The balancer speaks for itself (LOCAL, UNKNOWN), or for a client without an IP address: the socket's own end counts. */
  | { readonly kind: 'local'; readonly length: number }
  | { readonly kind: 'client'; readonly length: number; readonly client: ProxiedClient };

/** What version 2 begins with. */
export const signature = Buffer.from('\r\n\r\n\0\r\nQUIT\n', 'latin1');
const version1Start = Buffer.from('PROXY ', 'latin1');
/** Section 2.1: the longest line, its CRLF included. */
const longestVersion1 = 107;
const fixedVersion2 = 16;
/** Addresses and TLVs. Those in use need a few hundred bytes; the field could announce 65535. */
const longestVersion2 = 4096;

/** Reads the header at the start of what a connection brought; `length` says where the client's own bytes begin. */
export function parseProxyHeader(bytes: Buffer): ProxyHeader {
  if (startsAlike(bytes, signature)) return bytes.length < fixedVersion2 ? { kind: 'incomplete' } : parseVersion2(bytes);
  if (startsAlike(bytes, version1Start)) return parseVersion1(bytes);
  return malformed('no PROXY header');
}

/** True while nothing tells the two apart. */
function startsAlike(bytes: Buffer, start: Buffer): boolean {
  const length = Math.min(bytes.length, start.length);
  return bytes.subarray(0, length).equals(start.subarray(0, length));
}

function malformed(reason: string): ProxyHeader {
  return { kind: 'malformed', reason };
}

function parseVersion1(bytes: Buffer): ProxyHeader {
  const end = bytes.subarray(0, longestVersion1).indexOf('\r\n');
  if (end < 0) return bytes.length < longestVersion1 ? { kind: 'incomplete' } : malformed('line too long');
  const length = end + 2;
  const words = bytes.toString('latin1', version1Start.length, end).split(' ');
  const [family, source = '', destination = '', sourcePort = '', destinationPort = ''] = words;
  if (family === 'UNKNOWN') return { kind: 'local', length };
  const isAddress = family === 'TCP4' ? isIPv4 : family === 'TCP6' ? isIPv6 : undefined;
  if (isAddress === undefined) return malformed('unknown family');
  if (words.length !== 5 || !isAddress(source) || !isAddress(destination)) return malformed('bad addresses');
  if (!isPort(sourcePort) || !isPort(destinationPort)) return malformed('bad ports');
  return { kind: 'client', length, client: { address: source, port: Number(sourcePort), overTls: 'no' } };
}

/** Decimal, without leading zeroes (section 2.1). */
function isPort(text: string): boolean {
  return /^(?:0|[1-9]\d{0,4})$/.test(text) && Number(text) <= 65535;
}

function parseVersion2(bytes: Buffer): ProxyHeader {
  const [versionAndCommand, familyAndProtocol] = [bytes.readUInt8(12), bytes.readUInt8(13)];
  const length = fixedVersion2 + bytes.readUInt16BE(14);
  if (versionAndCommand >> 4 !== 2) return malformed('unknown version');
  if (length > longestVersion2) return malformed('header too long');
  if (bytes.length < length) return { kind: 'incomplete' };
  const command = versionAndCommand & 0x0f;
  if (command === 0) return { kind: 'local', length };
  if (command !== 1) return malformed('unknown command');
  return parsePassedOn(bytes.subarray(0, length), familyAndProtocol);
}

/** Section 2.2: the families that a stream can have, and the bytes that their two addresses and ports take. */
const addressBytes: Readonly<Record<number, number>> = { 0x00: 0, 0x11: 12, 0x21: 36, 0x31: 216 };

function parsePassedOn(header: Buffer, familyAndProtocol: number): ProxyHeader {
  const size = addressBytes[familyAndProtocol];
  if (size === undefined) return malformed('not a stream of a known family');
  if (header.length < fixedVersion2 + size) return malformed('addresses cut off');
  const extras = readTlvs(header, fixedVersion2 + size);
  if (extras === undefined) return malformed('bad TLV');
  if (extras.crc !== undefined && extras.crc.readUInt32BE(0) !== checksum(header, extras.crc)) return malformed('bad checksum');
  if (familyAndProtocol !== 0x11 && familyAndProtocol !== 0x21) return { kind: 'local', length: header.length };
  const width = familyAndProtocol === 0x11 ? 4 : 16;
  const address = header.subarray(fixedVersion2, fixedVersion2 + width);
  const port = header.readUInt16BE(fixedVersion2 + 2 * width);
  return { kind: 'client', length: header.length, client: { address: width === 4 ? [...address].join('.') : ipv6Text(address), port, overTls: extras.overTls } };
}

interface Extras {
  readonly overTls: 'yes' | 'no';
  /** The value of PP2_TYPE_CRC32C, where it lies in the header. */
  readonly crc: Buffer | undefined;
}

const typeCrc32c = 0x03;
const typeSsl = 0x20;
const clientSsl = 0x01;

/** Undefined when they don't fill the header exactly, or one that we read is too short. */
function readTlvs(header: Buffer, start: number): Extras | undefined {
  let [at, overTls, crc]: [number, Extras['overTls'], Buffer | undefined] = [start, 'no', undefined];
  while (at < header.length) {
    if (at + 3 > header.length) return undefined;
    const type = header.readUInt8(at);
    const end = at + 3 + header.readUInt16BE(at + 1);
    if (end > header.length) return undefined;
    const value = header.subarray(at + 3, end);
    if (type === typeSsl) {
      if (value.length < 5) return undefined; // a byte of flags, four of the verification's result
      overTls = (value.readUInt8(0) & clientSsl) === 0 ? 'no' : 'yes';
    } else if (type === typeCrc32c) {
      if (value.length !== 4 || crc !== undefined) return undefined;
      crc = value;
    }
    at = end;
  }
  return { overTls, crc };
}

/** Section 2.2.3: over the whole header, with the checksum's own bytes taken as zero. */
function checksum(header: Buffer, crc: Buffer): number {
  const whole = Buffer.from(header);
  whole.fill(0, crc.byteOffset - header.byteOffset, crc.byteOffset - header.byteOffset + 4);
  return crc32c(whole);
}

/** CRC-32C (Castagnoli), RFC 9260 appendix A. */
export function crc32c(bytes: Buffer): number {
  let crc = 0xffffffff;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit += 1) crc = (crc & 1) === 0 ? crc >>> 1 : (crc >>> 1) ^ 0x82f63b78;
  }
  return (crc ^ 0xffffffff) >>> 0;
}

/** RFC 5952: shortest form. The URL parser knows it. */
function ipv6Text(bytes: Buffer): string {
  const groups = bytes.toString('hex').match(/.{4}/g) ?? [];
  return new URL(`http://[${groups.join(':')}]`).hostname.slice(1, -1);
}
