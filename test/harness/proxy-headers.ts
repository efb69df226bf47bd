/** PROXY protocol headers for tests, made apart from the parser: also ones that no balancer would send. */
import { isIPv4 } from 'node:net';
import { crc32c } from '../../shared/net/proxy-protocol.ts';

export interface HeaderV2 {
  /** 1: PROXY, 0: LOCAL. */
  readonly command?: number;
  readonly address?: string;
  readonly port?: number;
  /** Family and protocol, where not as the address says. */
  readonly family?: number;
  /** The address block as it is, instead of one made of address and port. */
  readonly block?: Buffer;
  readonly tlvs?: readonly Buffer[];
  readonly checksum?: 'yes';
}

export function tlv(type: number, value: Buffer): Buffer {
  return Buffer.concat([Buffer.from([type, value.length >> 8, value.length & 0xff]), value]);
}

export function proxyHeaderV2({ command = 1, address, port = 0, family, block, tlvs = [], checksum }: HeaderV2): Buffer {
  const four = address === undefined || isIPv4(address);
  const addresses = block ?? (address === undefined ? Buffer.alloc(0) : addressBlock(address, port));
  const body = Buffer.concat([addresses, ...tlvs, ...(checksum === undefined ? [] : [tlv(3, Buffer.alloc(4))])]);
  const header = Buffer.concat([
    Buffer.from('\r\n\r\n\0\r\nQUIT\n', 'latin1'),
    Buffer.from([0x20 | command, family ?? (four ? 0x11 : 0x21), body.length >> 8, body.length & 0xff]), body,
  ]);
  if (checksum !== undefined) header.writeUInt32BE(crc32c(header), header.length - 4);
  return header;
}

function addressBlock(address: string, port: number): Buffer {
  const bytes = isIPv4(address) ? Buffer.from(address.split('.').map(Number)) : Buffer.from(address.split(':').map((group) => group.padStart(4, '0')).join(''), 'hex');
  const ports = Buffer.alloc(4);
  ports.writeUInt16BE(port, 0);
  return Buffer.concat([bytes, Buffer.alloc(bytes.length, 1), ports]);
}
