/**
 * Our front-end beside nginx's mail proxy (with an LDAP helper) and Dovecot's proxy: same client, same slapd, same Dovecot
 * behind them; then the whole system beside Dovecot's proxy on Dovecot. Run by hand, as root on Debian: `npm run bench -- proxy
 * [--seconds N] [--rounds N] [--sessions N] [--only WORD] [--short]`. Everything shares one machine: look at the CPU figures.
 */
import { existsSync } from 'node:fs';
import { cpus } from 'node:os';
import { parseArgs } from 'node:util';
import { measureFetches, measureIdleMemory, measureLogins, measureRoundTrips } from './proxy/cells.ts';
import type { Figures, Load } from './proxy/cells.ts';
import { logIn, open, shortSession } from './proxy/client.ts';
import { startDovecotBackend, startDovecotProxy } from './proxy/dovecot-servers.ts';
import type { DovecotPeer } from './proxy/dovecot-servers.ts';
import { startNginx } from './proxy/nginx-server.ts';
import { reportCell } from './proxy/report.ts';
import type { Peer } from './proxy/servers.ts';
import { directoryOperations, password, prepareGround, startWaybill, usersOfEachKind } from './proxy/waybill-server.ts';
import type { Ground } from './proxy/waybill-server.ts';

const { values: words } = parseArgs({
  options: {
    seconds: { type: 'string' }, rounds: { type: 'string' }, sessions: { type: 'string' }, only: { type: 'string' }, short: { type: 'boolean', default: false },
  },
});
const seconds = Number(words.seconds ?? (words.short ? 0.3 : 10));
const rounds = Number(words.rounds ?? (words.short ? 1 : 5));
const sessions = Number(words.sessions ?? (words.short ? 20 : 1000));
const connections = 20;
const bigMessageBytes = 10_000_000;

interface Cell {
  readonly title: string;
  /** Memory and the like are measured once: they don't vary with the weather. */
  readonly times: number;
  readonly loads: readonly Load[];
  readonly measure: (load: Load) => Promise<Figures | undefined>;
}

interface Servers {
  readonly ground: Ground;
  readonly backend: DovecotPeer;
  readonly waybill: Peer;
  readonly waybillBackend: number;
  readonly nginx: Peer;
  readonly dovecot: DovecotPeer;
  readonly dovecotAsShipped: DovecotPeer;
  readonly dovecotTlsInside: DovecotPeer;
}

const endings: (() => Promise<void>)[] = [];

async function kept<Server extends { stop(): Promise<void> }>(starting: Promise<Server>): Promise<Server> {
  const server = await starting;
  endings.push(async () => server.stop());
  return server;
}

async function startServers(): Promise<Servers> {
  const ground = await prepareGround();
  endings.push(async () => ground.cluster.stop(), async () => ground.slapd.stop());
  const { certificates } = ground;
  const directory = { uri: ground.slapd.uri, baseDn: ground.slapd.baseDn };
  const backend = await kept(startDovecotBackend({ certificates, password, sessionsPerProcess: 1 }));
  const proxy = { certificates, directory, backend: backend.ports } as const;
  const { frontend, backendPid } = await startWaybill(ground, backend.ports);
  return {
    ground, backend, waybill: frontend, waybillBackend: backendPid,
    nginx: await kept(startNginx(proxy)),
    dovecot: await kept(startDovecotProxy({ ...proxy, mode: 'tuned', innerLeg: 'plain' })),
    dovecotAsShipped: await kept(startDovecotProxy({ ...proxy, mode: 'as shipped', innerLeg: 'plain' })),
    dovecotTlsInside: await kept(startDovecotProxy({ ...proxy, mode: 'tuned', innerLeg: 'tls' })),
  };
}

function cellsOf(servers: Servers): readonly Cell[] {
  const { waybill, nginx, dovecot, dovecotAsShipped, backend } = servers;
  const others = { slapd: [servers.ground.slapd.pid] };
  const load = (peer: Peer): Load => ({ peer, users: 'dovecot', userCount: usersOfEachKind, password, others });
  const proxies = [waybill, nginx, dovecot].map(load);
  const legs = ['plain', 'tls'] as const;
  const logins = (['imap', 'pop3'] as const).flatMap((protocol) => ([['plain', 'no'], ['tls', 'no'], ['tls', 'yes']] as const).map(([leg, resume]): Cell => {
    return {
      title: `logins: ${protocol} ${leg}${leg === 'tls' ? (resume === 'yes' ? ', resumed' : ', full handshakes') : ''}, ${String(connections)} connections`, times: rounds,
      loads: [...proxies, load(dovecotAsShipped)], measure: async (each) => measureLogins(each, { protocol, leg, resume, seconds, connections }),
    };
  }));
  return [
    ...logins,
    ...legs.map((leg): Cell => ({ title: `fetch: 10 MB messages, ${leg}, 4 connections`, times: rounds, loads: [...proxies, load(backend)], measure: async (each) => measureFetches(each, { leg, seconds, connections: 4 }) })),
    ...legs.map((leg): Cell => ({ title: `latency: NOOP, ${leg}, one connection`, times: rounds, loads: [...proxies, load(backend)], measure: async (each) => measureRoundTrips(each, { leg, seconds: seconds / 2 }) })),
    ...legs.map((leg): Cell => ({ title: `memory: ${String(sessions)} idle sessions, ${leg}`, times: 1, loads: proxies, measure: async (each) => measureIdleMemory(each, { leg, sessions, restMs: Math.min(3000, seconds * 1000) }) })),
    { title: 'directory: operations per login, 100 logins of users seen before', times: 1, loads: proxies, measure: async (each) => countDirectoryOperations(servers, each) },
    ...(['no', 'yes'] as const).map((resume): Cell => ({
      title: `whole: our front-end on our back-end (mTLS) beside Dovecot's proxy on Dovecot; TLS to the client, ${resume === 'yes' ? 'resumed' : 'full handshakes'}`,
      times: rounds, loads: wholeSystems(servers), measure: async (each) => measureLogins(each, { protocol: 'imap', leg: 'tls', resume, seconds, connections }),
    })),
  ];
}

function wholeSystems({ waybill, waybillBackend, dovecot, dovecotTlsInside, backend, ground }: Servers): readonly Load[] {
  const common = { userCount: usersOfEachKind, password };
  const others = { 'back-end': backend.pids, slapd: [ground.slapd.pid] };
  return [
    { ...common, peer: waybill, users: 'waybill', others: { 'back-end': [waybillBackend], slapd: [ground.slapd.pid] } },
    { ...common, peer: dovecot, users: 'dovecot', others },
    { ...common, peer: dovecotTlsInside, users: 'dovecot', others },
  ];
}

async function countDirectoryOperations({ ground }: Servers, load: Load): Promise<Figures | undefined> {
  const port = load.peer.port('imap', 'tls');
  if (port === undefined) return undefined;
  const turn = async (): Promise<void> => {
    for (let index = 0; index < usersOfEachKind; index += 1) {
      await shortSession({ protocol: 'imap', leg: 'tls', port }, { name: `${load.users}${String(index)}@example.com`, password });
    }
  };
  await turn();
  const before = await directoryOperations(ground.slapd);
  await turn();
  const after = await directoryOperations(ground.slapd);
  // The count itself binds once and searches once.
  return { searches: (after.searches - before.searches - 1) / usersOfEachKind, binds: (after.binds - before.binds - 1) / usersOfEachKind };
}

/** One message of 10 MB for each user who will read it. */
async function fillMailboxes({ backend }: Servers): Promise<void> {
  const line = `${'The same line of an attachment, again and again, as long as a line is at most'.slice(0, 76)}\r\n`;
  const message = `Subject: big\r\n\r\n${line.repeat(Math.ceil(bigMessageBytes / line.length))}`;
  for (let index = 0; index < 4; index += 1) {
    const talk = await open({ protocol: 'imap', leg: 'plain', port: backend.ports.imap });
    await logIn(talk, 'imap', { name: `dovecot${String(index)}@example.com`, password });
    await talk.say(`a APPEND INBOX {${String(message.length)}}\r\n`, '+ ');
    await talk.say(`${message}\r\n`, 'a OK');
    talk.end();
  }
}

async function run(): Promise<void> {
  const servers = await startServers();
  await fillMailboxes(servers);
  const cells = cellsOf(servers).filter(({ title }) => words.only === undefined || words.only.split(',').some((word) => title.includes(word)));
  const results = cells.map(({ loads }) => new Map<string, Figures[]>(loads.map(({ peer }) => [peer.name, []])));
  for (let round = 0; round < rounds; round += 1) {
    for (const [index, cell] of cells.entries()) {
      if (round >= cell.times) continue;
      for (const load of cell.loads) {
        const figures = await cell.measure(load).catch((error: unknown) => {
          process.stderr.write(`${load.peer.name} failed, ${cell.title}: ${String(error)}\n`);
        });
        if (figures !== undefined) results[index]?.get(load.peer.name)?.push(figures);
      }
      process.stderr.write(`round ${String(round + 1)}: ${cell.title}\n`);
    }
  }
  process.stdout.write(`${String(rounds)} rounds, cells of ${String(seconds)} s, ${String(cpus().length)} processors, ${cpus()[0]?.model ?? ''}\nMedian (minimum–maximum); CPU of all processes of a server, its helper included.\n`);
  for (const [index, cell] of cells.entries()) process.stdout.write(`${reportCell(cell.title, results[index] ?? new Map(), servers.waybill.name)}\n`);
}

function providePackages(): void {
  const needed = { 'libnginx-mod-mail': '/usr/lib/nginx/modules/ngx_mail_module.so', 'nginx-light': '/usr/sbin/nginx', 'dovecot-ldap': '/usr/lib/dovecot/modules/auth/libauthdb_ldap.so', 'dovecot-imapd': '/usr/lib/dovecot/imap', 'dovecot-pop3d': '/usr/lib/dovecot/pop3', slapd: '/usr/sbin/slapd' };
  const missing = Object.entries(needed).filter(([, file]) => !existsSync(file)).map(([name]) => name);
  if (missing.length > 0) throw new Error(`Debian's packages are missing: ${missing.join(' ')}`);
}

try {
  providePackages();
  await run();
} finally {
  for (const end of endings.toReversed()) await end();
}
