/** Joins two sockets after a proxied login: bytes flow both ways with backpressure until either side is done. */
import type { AnySocket } from './connection.ts';

export interface SpliceResult {
  readonly bytesToServer: number;
  readonly bytesToClient: number;
}

/** What a joined socket bears, so that all sessions share the same handlers: closures of their own cost each of them kilobytes. */
const other = Symbol('other side');
const joint = Symbol('joint');
type Side = AnySocket & { [other]: Side; [joint]: Joint };

/** Counts the sides that are left, and what has passed. */
class Joint {
  readonly #client: AnySocket;
  readonly #server: AnySocket;
  readonly #before: { readonly ofClient: number; readonly ofServer: number };
  readonly #over: (result: SpliceResult) => void;
  #left = 2;

  constructor(client: AnySocket, server: AnySocket, over: (result: SpliceResult) => void) {
    this.#client = client;
    this.#server = server;
    this.#before = { ofClient: client.bytesRead, ofServer: server.bytesRead };
    this.#over = over;
  }

  sideIsGone(): void {
    this.#left -= 1;
    if (this.#left > 0) return;
    this.#over({ bytesToServer: this.#client.bytesRead - this.#before.ofClient, bytesToClient: this.#server.bytesRead - this.#before.ofServer });
  }
}

/**
 * Copies both ways until both sockets are closed. The end of one side's stream is passed on; an error, or silence in
 * both directions for `idleTimeoutMs`, cuts both.
 */
export async function splice(client: AnySocket, server: AnySocket, { idleTimeoutMs }: { readonly idleTimeoutMs: number }): Promise<SpliceResult> {
  const { promise, resolve } = Promise.withResolvers<SpliceResult>();
  const between = new Joint(client, server, resolve);
  const sides = [Object.assign(client, { [other]: server, [joint]: between }) as Side, Object.assign(server, { [other]: client, [joint]: between }) as Side];
  if (client.destroyed || server.destroyed) {
    // One left while the login was still on its way: its 'close' has been, and nothing else would end the other.
    for (const side of sides) endHalf(side);
  } else {
    for (const side of sides) pass(side);
    // All bytes of both directions come or go through this socket, and each of them starts its clock anew.
    client.on('timeout', cutBoth);
    client.setTimeout(idleTimeoutMs);
  }
  return promise;
}

function endHalf(side: Side): void {
  if (side.destroyed) side[joint].sideIsGone();
  else side.on('close', onClose);
  side.destroySoon();
}

/** Passes on what comes, as fast as the other side takes it. By plain handlers: `pipe` costs more, in time and for each session in memory. */
function pass(from: Side): void {
  from.on('data', onData);
  from.on('drain', onDrain);
  from.on('end', onEnd);
  from.on('error', onError);
  from.on('close', onClose);
  from.resume();
}

function onData(this: Side, bytes: Buffer): void {
  if (!this[other].write(bytes)) this.pause();
}

function onDrain(this: Side): void {
  this[other].resume();
}

function onEnd(this: Side): void {
  this[other].end();
}

function onError(this: Side): void {
  this[other].destroySoon();
}

/** What the closed side had sent still reaches the other. */
function onClose(this: Side): void {
  this[other].destroySoon();
  this[joint].sideIsGone();
}

function cutBoth(this: Side): void {
  this.destroy();
  this[other].destroy();
}
