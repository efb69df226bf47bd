/**
 * One LDAP or LDAPS port of the embedded directory: ldapjs reads and writes the messages; framing, limits, the order of work
 * on a connection and who it speaks for are kept here.
 */
import { once } from 'node:events';
import ldapjs from 'ldapjs';
import { pagedResultsOid } from '../ldap/ldapjs-paging.ts';
import { FramingError, MessageFramer } from '../ldap/message-framer.ts';
import type { Logger } from '../log/log.ts';
import type { Identity } from './access.ts';
import type { LdapSocket, Message, Response } from './ldapjs-messages.ts';
import { withoutOptionalControls } from './optional-controls.ts';
import { Refusal, results } from './result.ts';
import { answerToUnreadable } from './unreadable-message.ts';

export interface ListenerOptions {
  readonly host: string;
  readonly port: number;
  /** LDAPS when given: PEM. */
  readonly tls: { readonly cert: string; readonly key: string } | undefined;
  readonly log: Logger;
  /** Puts the handlers of all operations on the server. */
  readonly mount: (server: ldapjs.Server, serve: Serve) => void;
}

/** What is known of one connection. */
export interface Session { identity: Identity }

/** Makes an ldapjs handler of a function that does the work and sends everything but a refusal. */
export type Serve = <M extends Message, R extends Response>(
  work: (session: Session, message: M, response: R) => Promise<void> | void,
) => (message: M, response: R, next: () => void) => void;

export interface RunningListener { readonly port: number; close(): Promise<void> }

/** What slapd takes too: little from strangers, more from those who have logged in. */
const maxMessageBytes = { anonymous: 256 * 1024, known: 4 * 1024 * 1024 } as const;
const maxConnections = 1_000;
const idleTimeoutMs = 15 * 60_000;
/** Requests of one connection that wait; above it nothing is read from the connection. */
const mostWaiting = 100;
/** ManageDsaIT (RFC 3296) means nothing here, where there are no referrals; others that are not critical are not read. */
const knownControls = new Set(['2.16.840.1.113730.3.4.2', pagedResultsOid]);

interface Connection extends Session { last: Promise<void>; waiting: number }

/** ldapjs writes whole messages, passwords included, to its log: it gets one that keeps nothing. */
const silentLog = { trace: ignore, debug: ignore, info: ignore, warn: ignore, error: ignore, fatal: ignore, child: () => silentLog };
function ignore(): void { /* nothing to do, on purpose */ }

/** Opens the port; rejects with the system's error. */
export async function openLdapListener(options: ListenerOptions): Promise<RunningListener> {
  const connections = new Map<LdapSocket, Connection>();
  const server = ldapjs.createServer({
    log: silentLog,
    ...(options.tls === undefined ? {} : { certificate: options.tls.cert, key: options.tls.key }),
    connectionRouter: (socket: LdapSocket) => { accept(socket); },
  } as ldapjs.ServerOptions) as ServerInternals;
  const accept = (socket: LdapSocket): void => {
    server.newConnection(socket);
    const connection: Connection = { identity: { kind: 'anonymous' }, last: Promise.resolve(), waiting: 0 };
    connections.set(socket, connection);
    socket.once('close', () => connections.delete(socket));
    readFrom(socket, connection, options.log);
  };
  server.maxConnections = maxConnections;
  server.on('clientError', ignore);
  options.mount(server, serveWith(connections, options.log));
  // ldapjs answers an anonymous bind by itself, whatever is mounted.
  server.after((message) => {
    const connection = connections.get(message.connection);
    if (connection !== undefined && message.type === 'BindRequest' && String(message.name) === '' && message.credentials === '') {
      connection.identity = { kind: 'anonymous' };
    }
  });
  await listen(server, options);
  return {
    port: server.address()?.port ?? options.port,
    close: async () => {
      const closed = once(server, 'close');
      server.close(ignore);
      for (const socket of connections.keys()) socket.destroy();
      await closed;
    },
  };
}

interface ServerInternals extends ldapjs.Server {
  newConnection(socket: LdapSocket): void;
  after(handler: (message: Message & { type: string; name?: unknown; credentials?: string }) => void): void;
  address(): { port: number } | null;
}

async function listen(server: ldapjs.Server, { host, port, log }: ListenerOptions): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, () => {
      server.off('error', reject);
      server.on('error', (error) => { log.warn({ err: error as unknown }, 'directory listener'); });
      resolve();
    });
  });
}

/** Feeds ldapjs whole messages; what it can't read is answered here, where ldapjs would cut the connection. */
function readFrom(socket: LdapSocket, connection: Connection, log: Logger): void {
  const framer = new MessageFramer(() => maxMessageBytes[connection.identity.kind === 'anonymous' ? 'anonymous' : 'known']);
  let current: Buffer | undefined;
  socket.setTimeout(idleTimeoutMs);
  socket.setNoDelay();
  socket.parser.removeAllListeners('error');
  socket.parser.on('error', (error: unknown) => {
    log.info({ err: error, client: socket.remoteAddress }, 'request can\'t be read');
    const answer = answerToUnreadable(current ?? Buffer.alloc(0));
    if (answer.then === 'disconnect') socket.end(answer.bytes);
    else socket.write(answer.bytes);
  });
  socket.removeAllListeners('data');
  socket.on('data', (chunk: Buffer) => {
    try {
      for (const message of framer.write(chunk)) {
        current = message;
        socket.parser.write(withoutOptionalControls(message, knownControls));
      }
    } catch (error) {
      log.info({ err: error, client: socket.remoteAddress }, 'connection cut');
      if (error instanceof FramingError) socket.end(answerToUnreadable(Buffer.alloc(0)).bytes);
      else socket.destroy();
    }
  });
}

function serveWith(connections: ReadonlyMap<LdapSocket, Connection>, log: Logger): Serve {
  return (work) => (message, response, next) => {
    const connection = connections.get(message.connection);
    if (connection === undefined) return;
    connection.waiting += 1;
    if (connection.waiting >= mostWaiting) message.connection.pause();
    // One after the other: a request after a bind is made in the name of whom the bind was for.
    connection.last = connection.last.then(async () => {
      try {
        requireKnownControls(message);
        await work(connection, message, response);
      } catch (error) {
        refuse(response, error, log);
      } finally {
        connection.waiting -= 1;
        if (connection.waiting < mostWaiting) message.connection.resume();
        next();
      }
    });
  };
}

function requireKnownControls(message: Message): void {
  const unknown = message.controls.find(({ type, criticality }) => criticality && !knownControls.has(type));
  if (unknown !== undefined) throw new Refusal('unavailableCriticalExtension', `control ${unknown.type} is not known`);
}

function refuse(response: Response, error: unknown, log: Logger): void {
  if (!(error instanceof Refusal)) log.error({ err: error }, 'directory operation failed');
  const refusal = error instanceof Refusal ? error : new Refusal('other', 'internal error');
  response.matchedDN = refusal.matchedDn;
  response.diagnosticMessage = refusal.message;
  response.end(refusal.code);
}

/** Ends an operation with success, or with another result that is no refusal. */
export function succeed(response: Response, result: 'success' | 'compareTrue' | 'compareFalse' = 'success'): void {
  response.end(results[result]);
}
