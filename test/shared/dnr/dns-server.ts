/** A DNS server for tests, over UDP on loopback: answers A and MX from a table, NXDOMAIN for names that are not in it, and counts questions. */
import * as dgram from 'node:dgram';
import { once } from 'node:events';
import type { TestContext } from 'node:test';

/** `silent`: no answer at all. `failing`: SERVFAIL. */
export type Zone = Readonly<Record<string, { readonly a?: readonly string[]; readonly mx?: readonly (readonly [number, string])[] } | 'silent' | 'failing'>>;

export interface TestDns {
  /** For `nameServers`. */
  readonly server: string;
  /** `MX example.net`, in order. */
  readonly questions: string[];
}

const types: Readonly<Record<number, 'A' | 'MX'>> = { 1: 'A', 15: 'MX' };

export async function startDns(t: TestContext, zone: Zone): Promise<TestDns> {
  const socket = dgram.createSocket('udp4');
  const questions: string[] = [];
  socket.on('message', (query, peer) => {
    const { name, end } = readName(query);
    const type = types[query.readUInt16BE(end)];
    questions.push(`${type ?? 'other'} ${name}`);
    const entry = zone[name];
    if (entry === 'silent') return;
    const answers = entry === undefined || entry === 'failing' ? [] : answersOf(type, entry);
    const code = entry === 'failing' ? 2 : entry === undefined ? 3 : 0;
    const header = Buffer.from(query.subarray(0, 12));
    header.writeUInt16BE(0x8180 | code, 2);
    header.writeUInt16BE(answers.length, 6);
    header.fill(0, 8);
    socket.send(Buffer.concat([header, query.subarray(12, end + 4), ...answers]), peer.port, peer.address);
  });
  socket.bind(0, '127.0.0.1');
  await once(socket, 'listening');
  t.after(() => socket.close());
  return { server: `127.0.0.1:${String(socket.address().port)}`, questions };
}

function readName(query: Buffer): { readonly name: string; readonly end: number } {
  const labels: string[] = [];
  let at = 12;
  for (let length = query[at] ?? 0; length > 0; length = query[at] ?? 0) {
    labels.push(query.toString('latin1', at + 1, at + 1 + length));
    at += 1 + length;
  }
  return { name: labels.join('.').toLowerCase(), end: at + 1 };
}

function answersOf(type: 'A' | 'MX' | undefined, entry: { readonly a?: readonly string[]; readonly mx?: readonly (readonly [number, string])[] }): Buffer[] {
  if (type === 'A') return (entry.a ?? []).map((address) => record(1, Buffer.from(address.split('.').map(Number))));
  if (type !== 'MX') return [];
  return (entry.mx ?? []).map(([preference, host]) => record(15, Buffer.concat([Buffer.from([preference >> 8, preference & 255]), writeName(host)])));
}

/** The name is a pointer to the question's; TTL 60 seconds. */
function record(type: number, data: Buffer): Buffer {
  const head = Buffer.from([0xc0, 12, 0, type, 0, 1, 0, 0, 0, 60, 0, data.length]);
  return Buffer.concat([head, data]);
}

function writeName(name: string): Buffer {
  const labels = name.split('.').filter((label) => label !== '');
  return Buffer.concat([...labels.map((label) => Buffer.concat([Buffer.from([label.length]), Buffer.from(label)])), Buffer.from([0])]);
}
