/** The IMAP service of a back-end (RFC 3501, RFC 9051): listeners, sessions, news for those who wait. The wiring starts it. */
import type { UserSessions } from '../../shared/access/user-sessions.ts';
import { newSessionId } from '../../shared/base/session-id.ts';
import type { Logger } from '../../shared/log/log.ts';
import { RestingLegs, longestRestMs } from '../../shared/legs/resting-legs.ts';
import type { SessionEnd } from '../../shared/legs/resting-legs.ts';
import { Connection } from '../../shared/net/connection.ts';
import type { AnySocket } from '../../shared/net/connection.ts';
import { optionsAt } from '../../shared/net/listen-place.ts';
import type { ListenPlace } from '../../shared/net/listen-place.ts';
import { listen, retireAll } from '../../shared/net/listener.ts';
import type { ServerTls } from '../../shared/net/server-tls.ts';
import type { HintBus, Service } from '../../shared/service/service.ts';
import { nodeIdentity } from '../../shared/tls/identity.ts';
import type { NodeIdentity } from '../../shared/tls/identity.ts';
import { CommandSlots, SessionSlot } from '../../shared/workers/command-slots.ts';
import type { Accounts } from '../accounts/accounts.ts';
import type { Storage } from '../storage/storage.ts';
import { Session } from './session.ts';
import { countConnection } from '../../shared/metrics/service-counters.ts';

export type ImapListener = ListenPlace & {
  readonly tls: 'implicit' | 'starttls';
  /** `yes`: front-ends log in here on behalf of users, by their node certificate. Needs implicit TLS. */
  readonly trusted: 'yes' | 'no';
};

export interface ImapLimits {
  /** BAD responses in a row before the line is cut. */
  readonly maxErrors: number;
  /** Failed logins before the line is cut. */
  readonly maxAuthErrors: number;
  /** How long the answer to a failed login waits. */
  readonly loginFailureDelayMs: number;
  /** From the connection to a successful login. */
  readonly loginTimeoutMs: number;
  /** Silence before autologout; at least 30 minutes (RFC 9051 section 5.4). */
  readonly idleTimeoutMs: number;
  readonly maxMessageBytes: number;
  /** How often IDLE looks at the index although no hint came; a minute when absent. */
  readonly idleRecheckMs?: number | undefined;
}

export interface ImapOptions {
  readonly listeners: readonly ImapListener[];
  readonly serverTls: ServerTls;
  readonly accounts: Pick<Accounts, 'login' | 'open'>;
  readonly storage: Pick<Storage, 'stage'>;
  /** How many sessions a user may have; no limit when absent. */
  readonly userSessions?: UserSessions | undefined;
  /** In which commands work; any number at once when absent. */
  readonly slots?: CommandSlots | undefined;
  readonly hints: HintBus;
  readonly log: Logger;
  readonly limits: ImapLimits;
  /** Whether the configuration lists this node as one that may log users in. */
  readonly isTrustedNode: (identity: NodeIdentity) => boolean;
}

export interface ImapService extends Service {
  /** The ports in use, in the order of the listeners. */
  readonly ports: readonly number[];
}

/** Longest line; longer ones end the session. Commands have a tighter limit before login. */
const maxLineBytes = 64 * 1024;

/** Opens the listeners. Rejects with the system's error when a port can't be had. */
export async function startImap(options: ImapOptions): Promise<ImapService> {
  const log = options.log.child({ service: 'imap' });
  const sessions = new Set<Session>();
  const resting = new RestingLegs();
  const open = await Promise.all(
    options.listeners.map(async (listener) => {
      const here = optionsAt({ ...options, log }, listener);
      return listen({ ...listener, protocol: 'imap', serverTls: here.serverTls, requestCertificate: listener.trusted, log }, (socket) => {
        serve(socket, here, { listener, sessions, resting }).catch((error: unknown) => {
          log.error({ err: error }, 'session failed');
          socket.destroy();
        });
      });
    }),
  );
  const unsubscribe = options.hints.subscribe((hint) => {
    for (const session of sessions) {
      const { state } = session;
      if ((state.at === 'selected' || state.at === 'authenticated') && state.account.id === hint.account) session.hear(hint);
    }
  });
  return {
    name: 'imap',
    ports: open.map(({ port }) => port),
    retire: async () => {
      resting.close();
      await retireAll(open);
    },
    stop: async (graceMs) => {
      resting.close();
      await Promise.all(open.map(async (listener) => listener.close()));
      await drain(sessions, graceMs);
      unsubscribe();
    },
  };
}

interface Place {
  readonly listener: ImapListener;
  readonly sessions: Set<Session>;
  readonly resting: RestingLegs;
}

async function serve(socket: AnySocket, options: ImapOptions, place: Place): Promise<void> {
  const closed = countConnection('imap');
  try {
    await place.resting.serve(socket, {
      open: (each) => connectionOn(each, options),
      serve: async (fresh, begin) => serveSession(fresh, { options, place, begin }),
    });
  } finally {
    closed();
  }
}

interface Serving {
  readonly options: ImapOptions;
  readonly place: Place;
  readonly begin: 'greeting' | 'silently';
}

async function serveSession({ connection, slot }: Fresh, { options, place, begin }: Serving): Promise<SessionEnd> {
  connection.setIdleTimeout(options.limits.loginTimeoutMs);
  const peer = place.listener.trusted === 'yes' ? nodeIdentity(connection.socket) : undefined;
  const trusted = peer?.role === 'frontend' && options.isTrustedNode(peer);
  const id = newSessionId();
  const log = options.log.child({ session: id, client: connection.remoteAddress, ...(trusted ? { frontend: peer.node } : {}) });
  const session = new Session(connection, { ...options, resting: place.resting, trustedPeer: trusted ? 'yes' : 'no' }, { id, log, slot });
  place.sessions.add(session);
  log.info('session begins');
  try {
    return await session.run(begin);
  } finally {
    place.sessions.delete(session);
    session.log.info('session ends');
  }
}

interface Fresh {
  readonly connection: Connection;
  readonly slot: SessionSlot;
}

function connectionOn(socket: AnySocket, { slots }: ImapOptions): Fresh {
  const slot = new SessionSlot(slots ?? new CommandSlots('imap', Infinity));
  return { connection: new Connection(socket, { maxLineBytes, idleTimeoutMs: longestRestMs, slot }), slot };
}

async function drain(sessions: ReadonlySet<Session>, graceMs: number): Promise<void> {
  for (const session of sessions) session.leave();
  const cut = setTimeout(() => {
    for (const session of sessions) session.connection.destroy();
  }, graceMs);
  await Promise.all([...sessions].map(async (session) => session.connection.closed));
  clearTimeout(cut);
}
