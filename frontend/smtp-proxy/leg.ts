/** One connection to a back-end on behalf of one client session: opened, told who the client is, ready for MAIL. */
import { isFailure } from '../../shared/base/failure.ts';
import type { Logger } from '../../shared/log/log.ts';
import type { TlsSessions } from '../../shared/net/connect.ts';
import { openSmtpClient } from '../../shared/smtp/client.ts';
import type { SmtpClient } from '../../shared/smtp/client.ts';
import type { EnvelopeSender } from '../../shared/smtp/commands.ts';
import type { SmtpTimeouts } from '../../shared/smtp/reply-reader.ts';
import type { SmtpPeer } from '../../shared/smtp/server-session.ts';
import type { BackendTarget } from '../login/login.ts';

export interface LegOptions {
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
  async open(target: BackendTarget, peer: SmtpPeer, how: { readonly protocol: 'smtp' | 'lmtp'; readonly login?: string }): Promise<SmtpClient | undefined> {
    const downUntil = this.#downUntil.get(target.node);
    if (downUntil !== undefined) {
      if (downUntil > Date.now()) return undefined;
      // This client finds out whether it is back; the others don't wait with it.
      this.markDown(target.node);
    }
    const { hostName, sessions, connectTimeoutMs, timeouts, log } = this.#options;
    let client: SmtpClient | undefined;
    try {
      client = await openSmtpClient({ ...target, timeoutMs: connectTimeoutMs, sessions }, { protocol: how.protocol, timeouts });
      await client.hello(hostName);
      if (client.extensions.has('XCLIENT')) {
        await client.xclient({ address: peer.address, port: peer.port, hello: peer.hello, protocol: peer.protocol, login: how.login });
        await client.hello(hostName);
      } else if (how.login !== undefined) await client.authenticateExternal(how.login);
      this.#downUntil.delete(target.node);
      return client;
    } catch (thrown) {
      log.warn({ err: thrown, node: target.node, session: peer.sessionId, stage: client?.stage ?? 'connect' }, 'back-end can not be used');
      client?.destroy();
      // What one client sent must not make a node look down to others.
      if (!isFailure(thrown, 'bad-input')) this.markDown(target.node);
      return undefined;
    }
  }
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
