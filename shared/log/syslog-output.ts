/** The log's way to a syslog server: UDP (RFC 5426), TCP (RFC 6587) or TLS (RFC 5425). */
import type { ConnectionOptions } from 'node:tls';
import { connectTo } from '../net/connect.ts';
import type { AnySocket } from '../net/connection.ts';
import { datagramsTo } from '../net/datagrams.ts';
import { HeldLines } from './held-lines.ts';
import { countLost } from './line-file.ts';
import type { LogOutput } from './log-service.ts';
import { counted, datagram, syslogMessage } from './syslog.ts';

export interface SyslogOptions {
  readonly host: string;
  readonly port: number;
  readonly protocol: 'udp' | 'tcp' | 'tls';
  readonly tls: ConnectionOptions;
  /** HOSTNAME of the messages. */
  readonly node: string;
}

const connectTimeoutMs = 10_000;

export function syslogOutput(options: SyslogOptions): LogOutput {
  const messageOf = (line: string, { level, service }: { readonly level: number; readonly service: string }): string =>
    syslogMessage(line.trimEnd(), { level, service, node: options.node, pid: process.pid, at: new Date() });
  if (options.protocol === 'udp') {
    const datagrams = datagramsTo(options);
    return {
      send: (line, facts) => datagrams.send(datagram(messageOf(line, facts)), () => countLost('system', 1)),
      close: async () => datagrams.close(),
    };
  }
  const stream = new SyslogStream(options);
  const held = new HeldLines<Buffer>('system', async (frames) => stream.send(frames));
  return {
    send: (line, facts) => held.add(counted(messageOf(line, facts))),
    close: async () => {
      await held.close();
      stream.end();
    },
  };
}

/** One connection, made again when it ends. The protocol has no acknowledgement: what was on its way when it ended may be lost. */
class SyslogStream {
  readonly #options: SyslogOptions;
  #socket: AnySocket | undefined;

  constructor(options: SyslogOptions) {
    this.#options = options;
  }

  async send(frames: readonly Buffer[]): Promise<void> {
    const socket = (this.#socket ??= await this.#connect());
    await new Promise<void>((resolve, reject) => {
      const gone = (): void => reject(new Error('the syslog server has closed the connection'));
      socket.once('close', gone);
      socket.write(Buffer.concat(frames), (error) => {
        socket.off('close', gone);
        if (error === undefined || error === null) resolve();
        else reject(error);
      });
    });
  }

  end(): void {
    this.#socket?.end();
  }

  async #connect(): Promise<AnySocket> {
    const { host, port, protocol, tls } = this.#options;
    const socket = await connectTo({ host, port, timeoutMs: connectTimeoutMs, tls: protocol === 'tls' ? tls : undefined });
    socket.on('error', () => undefined); // `close` follows
    socket.on('close', () => {
      if (this.#socket === socket) this.#socket = undefined;
    });
    socket.resume();
    socket.unref();
    return socket;
  }
}
