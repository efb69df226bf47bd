/** Which cells there are: what is measured with whom, and how often. */
import { measureFetches, measureIdleMemory, measureLogins, measureRoundTrips } from './cells.ts';
import type { Figures, Load, LoginCell } from './cells.ts';
import { shortSession } from './client.ts';
import type { Peer } from './servers.ts';
import type { Stage } from './stage.ts';
import { directoryOperations, password, usersOfEachKind } from './waybill-server.ts';
import type { WaybillPeers } from './waybill-server.ts';

/** In the order in which they are measured. */
export const cellIds = [
  'login-tls', 'login-resumed', 'login-plain', 'login-tls-inside', 'login-pop3', 'fetch-plain', 'fetch-tls', 'latency', 'whole', 'memory-plain', 'memory-tls', 'memory-both', 'directory',
] as const;
type CellId = (typeof cellIds)[number];

export interface Cell {
  readonly id: CellId;
  readonly title: string;
  /** Rounds, when not all: memory and counts don't vary with the weather. */
  readonly rounds?: number | undefined;
  readonly loads: readonly Load[];
  /** Does the work of the cell for so long before its first round, and nothing is measured; absent where being warm makes no difference. */
  readonly warm?: ((load: Load) => Promise<unknown>) | undefined;
  readonly measure: (load: Load) => Promise<Figures | undefined>;
}

export interface Effort {
  readonly seconds: number;
  /** Of unmeasured work for each server before the first round of a cell. */
  readonly warmSeconds: number;
  readonly rounds: number;
  /** At the same time, where logins are measured. */
  readonly connections: number;
  /** Connections that read at the same time, as many as there are users with a large message at most. */
  readonly readers: number;
  /** Idle sessions at our front-end. */
  readonly sessions: number;
  /** Users who log in while operations of the directory are counted. */
  readonly countedUsers: number;
}

/** What is enough to know a peer's memory for each session. */
const peersSessions = 1000;

export function cellsOf(stage: Stage, effort: Effort): readonly Cell[] {
  return [...loginCells(stage, effort), ...streamCells(stage, effort), ...wholeCells(stage, effort), ...memoryCells(stage, effort), directoryCell(stage, effort)];
}

/** Without those that don't take part. */
function present<Peers>(...peers: readonly (Peers | undefined)[]): readonly Peers[] {
  return peers.filter((peer) => peer !== undefined);
}

function loadOf(stage: Stage, peer: Peer, users: 'dovecot' | 'idle' = 'dovecot'): Load {
  return { peer, users, userCount: usersOfEachKind, password, others: { slapd: [stage.ground.slapd.pid] } };
}

/** Work that lasts a while, and goes faster when V8 has compiled what it runs. */
function lasting({ seconds, warmSeconds }: Effort, work: (load: Load, seconds: number) => Promise<Figures | undefined>): Pick<Cell, 'warm' | 'measure'> {
  return { warm: async (load) => work(load, warmSeconds), measure: async (load) => work(load, seconds) };
}

function logins(effort: Effort, cell: { readonly id: CellId; readonly title: string; readonly loads: readonly Load[] }, how: Omit<LoginCell, 'seconds' | 'connections'>): Cell {
  const handshakes = how.leg === 'plain' ? 'without TLS' : `TLS, ${how.resume === 'yes' ? 'sessions resumed' : 'full handshakes'}`;
  const { connections } = effort;
  return {
    id: cell.id, title: `${cell.title}; ${how.protocol.toUpperCase()}, ${handshakes}, ${String(connections)} connections`, loads: cell.loads,
    ...lasting(effort, async (load, seconds) => measureLogins(load, { ...how, seconds, connections })),
  };
}

function loginCells(stage: Stage, effort: Effort): readonly Cell[] {
  const { waybill, beside, nginx, dovecot, dovecotAsShipped, dovecotTlsInside } = stage;
  const proxies = present(waybill.plainInside, beside?.plainInside, nginx, dovecot).map((peer) => loadOf(stage, peer));
  const asShipped = { ...loadOf(stage, dovecotAsShipped), rounds: 2 };
  const imap = { protocol: 'imap', leg: 'tls', resume: 'no' } as const;
  const title = 'logins: log in, look, log out';
  return [
    logins(effort, { id: 'login-tls', title, loads: [...proxies, asShipped] }, imap),
    logins(effort, { id: 'login-resumed', title, loads: proxies }, { ...imap, resume: 'yes' }),
    logins(effort, { id: 'login-plain', title, loads: proxies }, { ...imap, leg: 'plain' }),
    logins(effort, { id: 'login-tls-inside', title: 'logins with TLS to Dovecot inside', loads: present(waybill.tlsInside, beside?.tlsInside, dovecotTlsInside).map((peer) => loadOf(stage, peer)) }, imap),
    logins(effort, { id: 'login-pop3', title, loads: proxies }, { ...imap, protocol: 'pop3' }),
  ];
}

function streamCells(stage: Stage, effort: Effort): readonly Cell[] {
  const { readers } = effort;
  const { waybill, beside, nginx, dovecot, backend } = stage;
  const proxies = present(waybill.plainInside, beside?.plainInside, nginx, dovecot).map((peer) => loadOf(stage, peer));
  return [
    ...(['plain', 'tls'] as const).map((leg): Cell => ({
      id: `fetch-${leg}`, title: `fetch: 10 MB messages, ${leg === 'tls' ? 'TLS' : 'without TLS'}, ${String(readers)} connections`, loads: proxies,
      ...lasting(effort, async (load, seconds) => measureFetches(load, { leg, seconds, connections: readers })),
    })),
    { id: 'latency', title: 'latency: NOOP on quiet connections', loads: [...proxies, loadOf(stage, backend)], ...lasting(effort, async (load, seconds) => measureRoundTrips(load, { seconds })) },
  ];
}

/** Our front-end on our back-end, mutual TLS between, beside Dovecot's proxy on Dovecot. */
function wholeCells(stage: Stage, effort: Effort): readonly Cell[] {
  const { waybill, beside, dovecot, dovecotTlsInside, backend, ground } = stage;
  const slapd = [ground.slapd.pid];
  const own = (peers: WaybillPeers): Load => ({ ...loadOf(stage, peers.plainInside), users: 'waybill', others: { 'back-end': [peers.backendPid()], slapd } });
  const others = { 'back-end': backend.pids, slapd };
  const loads: readonly Load[] = [
    ...present(waybill, beside).map(own),
    { ...loadOf(stage, dovecot), others },
    { ...loadOf(stage, dovecotTlsInside), others },
  ];
  return [logins(effort, { id: 'whole', title: 'whole: logins through front-end and back-end (Waybill: mutual TLS inside)', loads }, { protocol: 'imap', leg: 'tls', resume: 'no' })];
}

function memoryCells(stage: Stage, { seconds, sessions }: Effort): readonly Cell[] {
  const { waybill, beside, nginx, dovecot, dovecotTlsInside } = stage;
  const own = present(waybill.plainInside, beside?.plainInside);
  const loads = (ours: readonly Peer[], ...peers: readonly Peer[]): readonly Load[] => [...ours.map((peer) => loadOf(stage, peer, 'idle')), ...peers.map((peer) => ({ ...loadOf(stage, peer, 'idle'), sessions: peersSessions }))];
  const cell = (id: CellId, legs: { readonly title: string; readonly leg: 'plain' | 'tls' }, of: readonly Load[]): Cell => ({
    id, title: `memory: idle sessions, ${legs.title}`, rounds: 1, loads: of,
    measure: async (load) => measureIdleMemory(load, { leg: legs.leg, sessions, restMs: Math.min(3000, seconds * 1000) }),
  });
  return [
    cell('memory-plain', { title: 'without TLS', leg: 'plain' }, loads(own, nginx, dovecot)),
    cell('memory-tls', { title: 'TLS to the client', leg: 'tls' }, loads(own, nginx, dovecot)),
    cell('memory-both', { title: 'TLS on both legs', leg: 'tls' }, loads(present(waybill.tlsInside, beside?.tlsInside), dovecotTlsInside)),
  ];
}

function directoryCell(stage: Stage, { countedUsers }: Effort): Cell {
  const { waybill, nginx, dovecot } = stage;
  return {
    id: 'directory', title: 'directory: operations per login, of users seen before', rounds: 1, loads: [waybill.plainInside, nginx, dovecot].map((peer) => loadOf(stage, peer)),
    measure: async (load) => countDirectoryOperations(stage, load, countedUsers),
  };
}

async function countDirectoryOperations({ ground }: Stage, load: Load, users: number): Promise<Figures | undefined> {
  const port = load.peer.port('imap', 'tls');
  if (port === undefined) return undefined;
  const turn = async (): Promise<void> => {
    for (let index = 0; index < users; index += 1) {
      await shortSession({ protocol: 'imap', leg: 'tls', port }, { name: `${load.users}${String(index)}@example.com`, password });
    }
  };
  await turn();
  const before = await directoryOperations(ground.slapd);
  await turn();
  const after = await directoryOperations(ground.slapd);
  // The count itself binds once and searches once.
  return { searches: (after.searches - before.searches - 1) / users, binds: (after.binds - before.binds - 1) / users };
}
