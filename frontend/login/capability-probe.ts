/** Asks one back-end for its capabilities, on a connection of its own. */
import type { ConnectionOptions } from 'node:tls';
import { Connection } from '../../shared/net/connection.ts';
import { connectTo } from '../../shared/net/connect.ts';
import type { TlsSessions } from '../../shared/net/connect.ts';
import type { CapabilityProbe } from './backend-capabilities.ts';

export interface ProbedServer {
  /** As in LoggedIn. */
  readonly name: string;
  readonly host: string;
  readonly port: number;
  readonly tls: ConnectionOptions | undefined;
  /** TLS on request with these options comes first. */
  readonly startTls: ConnectionOptions | undefined;
  readonly localAddress: string | undefined;
  /** Goes first, before TLS: a PROXY header that names no client. */
  readonly preface?: Buffer | undefined;
}

export interface ProbeOptions {
  /** The protocol's dialogue, from the greeting to the goodbye. */
  readonly ask: (backend: Connection, startTls: ConnectionOptions | undefined) => Promise<readonly string[]>;
  /** For the connection, and for the whole dialogue. */
  readonly timeoutMs: number;
  readonly maxLineBytes: number;
  readonly sessions: TlsSessions;
}

export function capabilityProbe({ name, startTls, ...at }: ProbedServer, { ask, timeoutMs, maxLineBytes, sessions }: ProbeOptions): CapabilityProbe {
  return {
    name,
    ask: async () => {
      const socket = await connectTo({ ...at, timeoutMs, sessions });
      const backend = new Connection(socket, { maxLineBytes, idleTimeoutMs: timeoutMs });
      const deadline = setTimeout(() => backend.destroy(), timeoutMs);
      try {
        return await ask(backend, startTls);
      } finally {
        clearTimeout(deadline);
        backend.end();
      }
    },
  };
}
