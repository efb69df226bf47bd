/** All servers of the proxy bench, started and ended together. */
import { open, logIn } from './client.ts';
import { startDovecotBackend, startDovecotProxy } from './dovecot-servers.ts';
import type { DovecotPeer } from './dovecot-servers.ts';
import { startNginx } from './nginx-server.ts';
import type { Peer } from './servers.ts';
import { mailHosts, password, prepareGround, startWaybill, startWaybillBeside } from './waybill-server.ts';
import type { Ground, WaybillPeers } from './waybill-server.ts';

export interface Stage {
  readonly ground: Ground;
  /** Dovecot as back-end: one session at a time for each process, processes used again. */
  readonly backend: DovecotPeer;
  readonly waybill: WaybillPeers;
  /** Another version of Waybill. */
  readonly beside: WaybillPeers | undefined;
  readonly nginx: Peer;
  readonly dovecot: DovecotPeer;
  readonly dovecotAsShipped: DovecotPeer;
  readonly dovecotTlsInside: DovecotPeer;
  end(): Promise<void>;
}

const bigMessageBytes = 10_000_000;
/** Users with a message of that size in their mailbox. */
export const readers = 4;

/**
 * Starts everything; what has started is ended again when something does not.
 * @param folder of another version of Waybill, to be measured as well
 */
export async function startStage(folder: string | undefined): Promise<Stage> {
  const endings: (() => Promise<void>)[] = [];
  const endAll = async (): Promise<void> => {
    for (const each of endings.toReversed()) await each();
  };
  let ended: Promise<void> | undefined; // whoever asks again waits for the same end: Ctrl-C may come twice
  const end = async (): Promise<void> => {
    ended ??= endAll();
    return ended;
  };
  const kept = async <Server extends { stop(): Promise<void> }>(starting: Promise<Server>): Promise<Server> => {
    const server = await starting;
    endings.push(async () => server.stop());
    return server;
  };
  try {
    const ground = await prepareGround();
    endings.push(async () => ground.cluster.stop(), async () => ground.slapd.stop());
    const { certificates, slapd } = ground;
    const backend = await kept(startDovecotBackend({ certificates, password, sessionsPerProcess: 1 }));
    // Many idle sessions in few processes, at another address: every proxy finds it by the user's `mailHost`.
    await kept(startDovecotBackend({ certificates, password, sessionsPerProcess: 200, at: { address: mailHosts.idle, ports: backend.ports } }));
    const proxy = { certificates, directory: { uri: slapd.uri, baseDn: slapd.baseDn }, backend: backend.ports } as const;
    await fillMailboxes(backend);
    const proxies = await together({
      waybill: startWaybill(ground, backend.ports),
      beside: folder === undefined ? Promise.resolve(undefined) : kept(startWaybillBeside(ground, { foreign: backend.ports, folder })),
      nginx: kept(startNginx(proxy)),
      dovecot: kept(startDovecotProxy({ ...proxy, mode: 'tuned', innerLeg: 'plain' })),
      dovecotAsShipped: kept(startDovecotProxy({ ...proxy, mode: 'as shipped', innerLeg: 'plain' })),
      dovecotTlsInside: kept(startDovecotProxy({ ...proxy, mode: 'tuned', innerLeg: 'tls' })),
    });
    return { ground, backend, end, ...proxies };
  } catch (error) {
    await end();
    throw error;
  }
}

/** All of them, or the reason of the first that does not start, when none of them is about to start any more. */
async function together<Servers extends object>(starting: { readonly [Name in keyof Servers]: Promise<Servers[Name]> }): Promise<Servers> {
  await Promise.allSettled(Object.values(starting));
  const entries = await Promise.all(Object.entries<Promise<unknown>>(starting).map(async ([name, server]) => [name, await server] as const));
  return Object.fromEntries(entries) as Servers;
}

async function fillMailboxes(backend: DovecotPeer): Promise<void> {
  const line = `${'The same line of an attachment, again and again, as long as a line is at most'.slice(0, 76)}\r\n`;
  const message = `Subject: big\r\n\r\n${line.repeat(Math.ceil(bigMessageBytes / line.length))}`;
  for (let index = 0; index < readers; index += 1) {
    const talk = await open({ protocol: 'imap', leg: 'plain', port: backend.ports.imap });
    await logIn(talk, 'imap', { name: `dovecot${String(index)}@example.com`, password });
    await talk.say(`a APPEND INBOX {${String(message.length)}}\r\n`, '+ ');
    await talk.say(`${message}\r\n`, 'a OK');
    talk.end();
  }
}
