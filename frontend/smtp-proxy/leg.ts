/** One connection to a back-end on behalf of one client session: opened, told who the client is, ready for MAIL. */
import type { ConnectionOptions } from 'node:tls';
import { isFailure } from '../../shared/base/failure.ts';
import type { Logger } from '../../shared/log/log.ts';
import type { TlsSessions } from '../../shared/net/connect.ts';
import { proxyHeader } from '../../shared/net/proxy-header.ts';
import type { ProxyVersion } from '../../shared/net/proxy-header.ts';
import { openSmtpClient } from '../../shared/smtp/client.ts';
import type { SmtpClient } from '../../shared/smtp/client.ts';
import type { EnvelopeSender } from '../../shared/smtp/commands.ts';
import { makeReply } from '../../shared/smtp/reply.ts';
import { SmtpRefused } from '../../shared/smtp/refusal.ts';
import type { SmtpTimeouts } from '../../shared/smtp/reply-reader.ts';
import type { SmtpPeer } from '../../shared/smtp/server-session.ts';
import { countConnect } from '../../shared/metrics/proxy-counters.ts';

/** A server that takes mail for a front-end: a node of ours by its trusted listener, or a foreign one. */
export interface LegTarget {
  /** The node's name, or host and port of a foreign server. */
  readonly node: string;
  readonly host: string;
  readonly port: number;
  /** Implicit TLS. */
  readonly tls: ConnectionOptions | undefined;
  /** Where connections come from; the operating system chooses when undefined. */
  readonly localAddress?: string | undefined;
  /** How a foreign server is spoken to. */
  readonly foreign?: ForeignSmtp | undefined;
}

export interface ForeignSmtp {
  readonly protocol: 'smtp' | 'lmtp';
  /** Never, where offered (then whatever its certificate is), or only with a certificate that checks. */
  readonly startTls: 'none' | 'opportunistic' | 'required';
  readonly tlsOptions: ConnectionOptions;
  /** Whether connections begin with a PROXY header. */
  readonly proxyProtocol: 'none' | ProxyVersion;
}

/** In our answer to EHLO: by it a front-end sees that a foreign server is a front-end of its own cluster. */
export const frontendKeyword = 'XWAYBILL-FRONTEND';

export interface LegOptions {
  /** Told to whoever asks; what a front-end of the same cluster looks for. */
  readonly clusterName: string;
  /** This front-end, in LHLO and EHLO. */
  readonly hostName: string;
  readonly sessions: TlsSessions;
  readonly connectTimeoutMs: number;
  readonly timeouts: Partial<SmtpTimeouts>;
  /** A back-end that could not be reached is not tried again for so long. */
  readonly downMs: number;
  readonly log: Logger;
}

/** Opens legs, and remembers for a while who is down, so that not every client waits for the same dead node. */
export class Legs {
  readonly #options: LegOptions;
  readonly #downUntil = new Map<string, number>();

  constructor(options: LegOptions) {
    this.#options = options;
  }

  /** To be called when a back-end stops answering in the middle of a conversation; `open` sees to the rest by itself. */
  markDown(node: string): void {
    this.#downUntil.set(node, Date.now() + this.#options.downMs);
  }

  /**
   * A leg on which MAIL can be said, or undefined when the back-end is down or does not want us (which is logged).
   * @param login the user that the back-end shall take as authenticated (submission).
   */
  async open(target: LegTarget, peer: SmtpPeer, how: { readonly protocol: 'smtp' | 'lmtp'; readonly login?: string | undefined }): Promise<SmtpClient | undefined> {
    const downUntil = this.#downUntil.get(target.node);
    if (downUntil !== undefined) {
      if (downUntil > Date.now()) return undefined;
      // This client finds out whether it is back; the others don't wait with it.
      this.markDown(target.node);
    }
    const { hostName, sessions, connectTimeoutMs, timeouts, log } = this.#options;
    let client: SmtpClient | undefined;
    try {
      client = await countConnect(target.node, async () => openSmtpClient({ ...target, timeoutMs: connectTimeoutMs, sessions, preface: prefaceFor(target, peer) }, { protocol: target.foreign?.protocol ?? how.protocol, timeouts }));
      await client.hello(hostName);
      if (target.foreign !== undefined) await this.#greetForeign(client, { ...target, foreign: target.foreign });
      if (client.extensions.has('XCLIENT')) {
        await client.xclient({ address: peer.address, port: peer.port, hello: peer.hello, protocol: target.foreign === undefined ? peer.protocol : plainProtocol(peer.protocol), login: how.login });
        await client.hello(hostName);
      } else if (how.login !== undefined) await client.authenticateExternal(how.login);
      this.#downUntil.delete(target.node);
      return client;
    } catch (thrown) {
      log.warn({ err: thrown, node: target.node, session: peer.sessionId, stage: client?.stage ?? 'connect' }, 'back-end can not be used');
      client?.destroy();
      if (thrown instanceof RoutingLoop) throw thrown;
      // What one client sent must not make a node look down to others.
      if (!isFailure(thrown, 'bad-input')) this.markDown(target.node);
      return undefined;
    }
  }

  /** A leg on which a password can be asked about: the node knows who the client is, and nobody is logged in. Throws what connecting throws. */
  async openForPassword(target: LegTarget, peer: SmtpPeer): Promise<SmtpClient> {
    const { hostName, sessions, connectTimeoutMs, timeouts } = this.#options;
    const client = await openSmtpClient({ ...target, timeoutMs: connectTimeoutMs, sessions }, { protocol: 'smtp', timeouts });
    try {
      await client.hello(hostName);
      await client.xclient({ address: peer.address, port: peer.port, hello: peer.hello, protocol: peer.protocol });
      await client.hello(hostName);
      return client;
    } catch (thrown) {
      client.destroy();
      throw thrown;
    }
  }

  /** TLS where it is wanted; and the end of the matter when the server is a front-end like us. */
  async #greetForeign(client: SmtpClient, { host, node, foreign }: LegTarget & { readonly foreign: ForeignSmtp }): Promise<void> {
    const { hostName, clusterName } = this.#options;
    if (client.extensions.get(frontendKeyword) === keywordValue(clusterName)) throw new RoutingLoop(node);
    const offered = client.extensions.has('STARTTLS');
    if (foreign.startTls === 'none' || (foreign.startTls === 'opportunistic' && !offered)) return;
    const servername = /^[\d.]+$|:/.test(host) ? '' : host;
    const lenient = foreign.startTls === 'opportunistic' ? { rejectUnauthorized: false } : {};
    await client.startTls({ ...foreign.tlsOptions, ...lenient, host, servername });
    await client.hello(hostName);
  }
}

function prefaceFor({ foreign }: LegTarget, { address, port, socket: { localAddress, localPort = 0 } }: SmtpPeer): Buffer | undefined {
  if (foreign === undefined || foreign.proxyProtocol === 'none') return undefined;
  return proxyHeader(foreign.proxyProtocol, { address, port, connectedTo: localAddress === undefined ? undefined : { address: localAddress, port: localPort } });
}

/** Foreign servers know SMTP and ESMTP only. */
function plainProtocol(protocol: string): string {
  return protocol.startsWith('E') ? 'ESMTP' : 'SMTP';
}

/** A mailHost leads to a front-end of this cluster. Temporary: somebody has to correct it, and no mail shall be lost meanwhile. */
export class RoutingLoop extends SmtpRefused {
  constructor(server: string) {
    super('hello', makeReply(451, '4.4.6', `routing loop: the mailbox's server ${server} is a front-end of this cluster`));
  }
}

/** The cluster's name as one word of an EHLO line. */
export function keywordValue(clusterName: string): string {
  return clusterName.replaceAll(' ', '_');
}

/** True for a back-end of ours, which understands session ids and custody (XWAYBILL). */
export function speaksWaybill(client: SmtpClient): boolean {
  return client.extensions.has('XWAYBILL');
}

/** The client's MAIL as a back-end gets it. A custodian takes every recipient, its own or not, and answers for all. */
export function senderForBackend(sender: EnvelopeSender, peer: SmtpPeer, role: 'owner' | 'custodian'): EnvelopeSender {
  const extra = new Map<string, string | true>([['XWAYBILL-SESSION', peer.sessionId]]);
  if (role === 'custodian') extra.set('XWAYBILL-CUSTODIAN', true);
  return { ...sender, extra };
}
