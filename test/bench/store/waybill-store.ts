/**
 * Our back-end as a store of mail: be1 of a cluster with two workers, slapd as directory. Mail programs come to it directly and without TLS,
 * as to Dovecot (they say that a load balancer speaks TLS for them, else they could not log in); LMTP has TLS on both sides, because between nodes there is no other.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { prepareGround } from '../proxy/waybill-server.ts';
import type { Ground } from '../proxy/waybill-server.ts';
import { peoplesPassword } from '../../harness/people.ts';
import { proxyHeaderV2, tlv } from '../../harness/proxy-headers.ts';
import type { MailStore } from './mail-store.ts';

export interface WaybillStore extends MailStore {
  readonly ground: Ground;
}

/** Parameters of its storage. */
export interface StorageSettings {
  readonly textIndex: 'off' | 'all';
}

/**
 * The text index has cells of its own: where it is on, mailboxes that are searched get one in the middle of a run.
 * @param wrap what to run instead of the node's command: that command inside another
 */
export async function startWaybillStore(wrap?: (command: readonly string[]) => readonly string[], settings: StorageSettings = { textIndex: 'off' }): Promise<WaybillStore> {
  const ground = await prepareGround({ many: 'be1', solo: 'be1' }, wrap);
  const { cluster, slapd } = ground;
  const stop = async (): Promise<void> => {
    await cluster.stop();
    await slapd.stop();
  };
  writeFileSync(cluster.configFile, configuration(readFileSync(cluster.configFile, 'utf8'), slapd.uri, settings));
  try {
    await cluster.startNode('be1');
  } catch (error) {
    await stop();
    throw error;
  }
  const port = (service: string): number => cluster.port('be1', service);
  const pair = (name: string): { certificate: string; key: string } => ({ certificate: join(cluster.folder, 'tls', `${name}.pem`), key: join(cluster.folder, 'tls', `${name}-key.pem`) });
  return {
    name: 'Waybill', password: peoplesPassword, ground, stop,
    get pids() { return [cluster.pid('be1')]; },
    imap: { port: port('imap'), tls: 'no', preface }, imaps: { port: port('imaps'), tls: 'yes' }, pop3: { port: port('pop3'), tls: 'no', preface },
    lmtp: { port: port('lmtp'), tls: 'yes', certificate: pair('fe1') },
  };
}

/** Of a balancer that speaks TLS with the client: PP2_TYPE_SSL with PP2_CLIENT_SSL, nothing verified. */
const preface = proxyHeaderV2({ address: '127.0.0.1', port: 1, tlvs: [tlv(0x20, Buffer.from([1, 0, 0, 0, 0]))] });

function configuration(demo: string, directory: string, { textIndex }: StorageSettings): string {
  return demo
    .replace(/uris: \[[^\]]*\]/, `uris: ["${directory}"]`)
    .replace(/searchPattern: .*/, 'searchPattern: "(mail=%e)"')
    .replace(/workers: 1/, 'workers: 2')
    .replace(/directories: \[([^,\]]*),[^\]]*\]/, 'directories: [$1]') // one disk, one storage
    .replaceAll('    storage:\n', `    storage:\n      textIndex: "${textIndex}"\n`)
    .replace('\nnodes:\n', `
backends:
  proxyProtocolFrom: [127.0.0.1]
  trustProxyTls: true

nodes:
`);
}
