/** Connections to servers that keep mailboxes, with places and health; and a dialogue there, whose failures become the server's. */
import type { ConnectionOptions } from 'node:tls';
import { Failure, isFailure } from '../../shared/base/failure.ts';
import { Connection } from '../../shared/net/connection.ts';
import type { AnySocket } from '../../shared/net/connection.ts';
import { connectTo } from '../../shared/net/connect.ts';
import type { TlsSessions } from '../../shared/net/connect.ts';
import { countConnect } from '../../shared/metrics/proxy-counters.ts';
import type { BackendPlaces } from './backend-places.ts';
import type { Recoveries } from './recoveries.ts';

export interface Server {
  /** For the log, and for what is known of its health. */
  readonly name: string;
  readonly host: string;
  readonly port: number;
  readonly tls: ConnectionOptions | undefined;
  readonly localAddress?: string | undefined;
  /** Goes first, before TLS: a PROXY header. */
  readonly preface?: Buffer | undefined;
}

export interface ServerRoad {
  readonly recoveries: Recoveries;
  readonly places: BackendPlaces;
  readonly sessions: TlsSessions;
  readonly connectTimeoutMs: number;
  /** For the whole dialogue up to "logged in". */
  readonly answerTimeoutMs: number;
  readonly maxLineBytes: number;
}

/** A connection, and how to give its place back before it is closed. */
export interface Placed {
  readonly socket: AnySocket;
  readonly leave: () => void;
}

/** A place at the server for a connection that is there already. @throws Failure('backend-unavailable') when all are taken; then it is closed */
export function place({ places }: ServerRoad, server: string, socket: AnySocket): Placed {
  try {
    return placed(socket, places.take(server));
  } catch (error) {
    socket.destroy();
    throw error;
  }
}

function placed(socket: AnySocket, giveBack: () => void): Placed {
  socket.on('close', giveBack);
  return {
    socket,
    leave: () => {
      socket.off('close', giveBack);
      giveBack();
    },
  };
}

/** Takes a place and connects. @throws Failure('backend-unavailable') */
export async function connect(road: ServerRoad, server: Server): Promise<Placed> {
  const giveBack = road.places.take(server.name);
  try {
    await road.recoveries.turn(server.name);
    return placed(await connectNow(road, server), giveBack);
  } catch (error) {
    giveBack();
    throw error;
  }
}

async function connectNow({ recoveries, connectTimeoutMs: timeoutMs, sessions }: ServerRoad, { name, ...at }: Server): Promise<AnySocket> {
  try {
    const socket = await countConnect(name, async () => connectTo({ ...at, timeoutMs, sessions, reads: 'reused' }));
    recoveries.succeeded(name);
    return socket;
  } catch (error) {
    recoveries.failed(name);
    throw error;
  }
}

export interface Held<Said> {
  readonly backend: Connection;
  readonly said: Said;
}

/** Holds the dialogue; where that fails the connection is cut. */
export async function converse<Said>(road: ServerRoad, socket: AnySocket, dialogue: (backend: Connection) => Promise<Said>): Promise<Held<Said>> {
  const backend = new Connection(socket, { maxLineBytes: road.maxLineBytes, idleTimeoutMs: road.answerTimeoutMs });
  // A server that talks without coming to an end is as useless as a silent one.
  const deadline = setTimeout(() => backend.destroy(), road.answerTimeoutMs);
  try {
    return { backend, said: await dialogue(backend) };
  } catch (error) {
    backend.destroy();
    // Silence or nonsense from a back-end is the back-end's fault, never the client's.
    if (isFailure(error, 'timed-out') || isFailure(error, 'bad-input')) {
      throw new Failure('backend-unavailable', 'the mail server does not answer', { cause: error });
    }
    throw error;
  } finally {
    clearTimeout(deadline);
  }
}
