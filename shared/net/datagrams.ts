/** Sends datagrams to one place; losing some is in their nature. */
import * as dgram from 'node:dgram';
import { isIPv6 } from 'node:net';

export interface Datagrams {
  /** `failed` is called when it did not leave this machine. */
  send(bytes: Buffer, failed: () => void): void;
  /** Resolves when all have left. */
  close(): Promise<void>;
}

export function datagramsTo({ host, port }: { readonly host: string; readonly port: number }): Datagrams {
  const socket = dgram.createSocket(isIPv6(host) ? 'udp6' : 'udp4');
  socket.on('error', () => undefined); // each send hears of its own
  socket.unref();
  const underWay = new Set<Promise<void>>();
  let closed = false;
  const send = async (bytes: Buffer, failed: () => void): Promise<void> =>
    new Promise((resolve) => {
      socket.send(bytes, port, host, (error) => {
        if (error !== null) failed();
        resolve();
      });
    });
  return {
    send: (bytes, failed) => {
      if (closed) return failed();
      const sent = send(bytes, failed).finally(() => underWay.delete(sent));
      underWay.add(sent);
    },
    close: async () => {
      closed = true;
      await Promise.all(underWay);
      socket.close();
    },
  };
}
