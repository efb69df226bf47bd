/** Stands for all mail servers of the world: takes every message and keeps it. */
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { SMTPServer } from 'smtp-server';

export interface Arrived {
  readonly from: string;
  readonly to: readonly string[];
  readonly bytes: Buffer;
}

export interface World {
  readonly port: number;
  readonly arrived: readonly Arrived[];
  /** The message whose text has this word. */
  next(word: string): Promise<Arrived>;
  close(): Promise<void>;
}

export async function startWorld(): Promise<World> {
  const arrived: Arrived[] = [];
  const server = new SMTPServer({
    authOptional: true,
    disabledCommands: ['STARTTLS', 'AUTH'],
    disableReverseLookup: true,
    onData: (stream, session, done) => {
      const pieces: Buffer[] = [];
      stream.on('data', (piece: Buffer) => pieces.push(piece));
      stream.on('end', () => {
        const { mailFrom, rcptTo } = session.envelope;
        arrived.push({ from: mailFrom === false ? '' : mailFrom.address, to: rcptTo.map(({ address }) => address), bytes: Buffer.concat(pieces) });
        done(null, `OK: queued as world-${String(arrived.length)}`);
      });
    },
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    port: (server.server.address() as AddressInfo).port,
    arrived,
    next: async (word) => {
      const deadline = Date.now() + 30_000;
      for (;;) {
        const found = arrived.find(({ bytes }) => bytes.includes(word));
        if (found !== undefined) return found;
        if (Date.now() > deadline) throw new Error(`nothing about ${word} came out into the world within 10 s`);
        await sleep(50);
      }
    },
    close: async () => new Promise<void>((resolve) => server.close(() => resolve())),
  };
}
