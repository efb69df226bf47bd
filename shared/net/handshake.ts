/** Waits for the end of a TLS handshake that began on a connection in use (STARTTLS, STLS). */
import type { TLSSocket } from 'node:tls';
import { Failure } from '../base/failure.ts';

/** `secure` on the server's side, `secureConnect` on the client's. */
export type HandshakeEnd = 'secure' | 'secureConnect';

const longestMs = 20_000;

/** @throws Failure('backend-unavailable') when it fails, takes too long, or the connection is closed */
export async function handshake(socket: TLSSocket, end: HandshakeEnd): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    const timer = setTimeout(() => socket.destroy(new Error('TLS handshake timed out')), longestMs);
    socket.once(end, () => {
      clearTimeout(timer);
      resolve();
    });
    socket.once('error', (cause) => {
      clearTimeout(timer);
      reject(new Failure('backend-unavailable', 'TLS handshake failed', { cause }));
    });
    socket.once('close', () => {
      clearTimeout(timer);
      reject(new Failure('backend-unavailable', 'connection closed during the TLS handshake'));
    });
  });
}
