/** Joins two sockets after a proxied login: bytes flow both ways with backpressure until either side is done. */
import type { Tap } from '../log/wire-lines.ts';
import type { AnySocket } from './connection.ts';
import { pipeInto } from './reused-reads.ts';

/** Looks for the moment at which the server is done with the client, though its connection stays (shared/legs). */
export interface Watch {
  /** What the client may have of what came. */
  pass(bytes: Buffer): Buffer;
  /** True from then on. */
  readonly released: boolean;
}

export interface SpliceOptions {
  readonly idleTimeoutMs: number;
  /** With it the server's connection may outlive the splice: `keep` gets it, open both ways and quiet. */
  readonly release?: { readonly watch: Watch; readonly keep: (server: AnySocket) => void } | undefined;
  readonly tap?: Tap | undefined;
}

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
  readonly release: SpliceOptions['release'];
  readonly tap: Tap | undefined;
  readonly #client: AnySocket;
  readonly #server: AnySocket;
  readonly #before: { readonly ofClient: number; readonly ofServer: number };
  readonly #over: (result: SpliceResult) => void;
  #left = 2;

  constructor({ client, server, release, tap }: Omit<SpliceOptions, 'idleTimeoutMs'> & { readonly client: AnySocket; readonly server: AnySocket }, over: (result: SpliceResult) => void) {
    this.release = release;
    this.tap = tap;
    this.#client = client;
    this.#server = server;
    this.#before = { ofClient: client.bytesRead, ofServer: server.bytesRead };
    this.#over = over;
  }

  isClient(side: AnySocket): boolean {
    return side === this.#client;
  }

  sideIsGone(): void {
    this.#left -= 1;
    if (this.#left > 0) return;
    this.#over({ bytesToServer: this.#client.bytesRead - this.#before.ofClient, bytesToClient: this.#server.bytesRead - this.#before.ofServer });
  }
}

/**
 * Copies both ways until both sockets are closed, or the server's is released. The end of one side's stream is passed on; an error, or
 * silence in both directions for `idleTimeoutMs`, cuts both. A tap is shown what passes.
 */
export async function splice(client: AnySocket, server: AnySocket, { idleTimeoutMs, release, tap }: SpliceOptions): Promise<SpliceResult> {
  const { promise, resolve } = Promise.withResolvers<SpliceResult>();
  const between = new Joint({ client, server, release, tap }, resolve);
  const sides: readonly [Side, Side] = [Object.assign(client, { [other]: server, [joint]: between }) as Side, Object.assign(server, { [other]: client, [joint]: between }) as Side];
  if (client.destroyed || server.destroyed) {
    // One left while the login was still on its way: its 'close' has been, and nothing else would end the other.
    for (const side of sides) endHalf(side);
  } else {
    const [fromClient, fromServer] = sides;
    if (release === undefined && tap === undefined) pipeInto(server, client);
    pass(fromClient, onData);
    pass(fromServer, release === undefined ? onData : onWatchedData);
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
function pass(from: Side, reader: (this: Side, bytes: Buffer) => void): void {
  from.on('data', reader);
  from.on('drain', onDrain);
  from.on('end', onEnd);
  from.on('error', onError);
  from.on('close', onClose);
  from.resume();
}

function onData(this: Side, bytes: Buffer): void {
  const { tap } = this[joint];
  if (tap !== undefined) {
    if (this[joint].isClient(this)) tap.received(bytes);
    else tap.sent(bytes);
  }
  if (!this[other].write(bytes)) this.pause();
}

/** Of a server whose connection may be released. */
function onWatchedData(this: Side, bytes: Buffer): void {
  const { release, tap } = this[joint];
  const passed = release === undefined ? bytes : release.watch.pass(bytes);
  if (passed.length > 0) tap?.sent(passed);
  if (passed.length > 0 && !this[other].write(passed)) this.pause();
  if (release?.watch.released === true) part(this, release.keep);
}

/** The client is told the end; what it still says reaches nobody. A server's connection that was half closed, or not read up, can't be kept. */
function part(server: Side, keep: (server: AnySocket) => void): void {
  const client = server[other];
  letGo(server, onWatchedData);
  letGo(client, onData);
  client.on('error', nothing);
  client.on('close', onCloseAlone);
  client.on('timeout', cutAlone);
  client.resume();
  client.destroySoon();
  server[joint].sideIsGone();
  if (server.destroyed || server.writableEnded || server.readableEnded || server.writableLength > 0) server.destroy();
  else keep(server);
}

function letGo(side: Side, reader: (this: Side, bytes: Buffer) => void): void {
  side.off('data', reader);
  side.off('drain', onDrain);
  side.off('end', onEnd);
  side.off('error', onError);
  side.off('close', onClose);
  side.off('timeout', cutBoth);
}

function onCloseAlone(this: Side): void {
  this[joint].sideIsGone();
}

function cutAlone(this: Side): void {
  this.destroy();
}

function nothing(): void {
  // Nobody is left to be told.
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
