/**
 * The face of the room: opens a connection to the servers that take a domain's mail (3.2.3 of the manual), by MX or by a
 * route of the configuration, and sends messages over it. Called by processing's queue runner; it keeps no state but DNS.
 */
import type { ConnectionOptions } from 'node:tls';
import type { Dnr } from '../../shared/dnr/dnr.ts';
import type { Logger } from '../../shared/log/log.ts';
import type { ProxyVersion } from '../../shared/net/proxy-header.ts';
import type { SmtpTimeouts } from '../../shared/smtp/reply-reader.ts';
import type { DeliveryChannel } from './channel.ts';
import { openBestServer } from './open-server.ts';
import { serversFor } from './servers.ts';

export { SmtpChannel } from './channel.ts';
export type { DeliveryChannel, OutgoingMessage, RecipientOutcome } from './channel.ts';

/** A domain whose mail goes to a given server instead of its MX. */
export interface SendingRoute {
  /** Lower case; `*` for all domains that no other route names. */
  readonly domain: string;
  readonly host: string;
  readonly port: number;
  /** `required`: only with a certificate that checks. */
  readonly tls: 'none' | 'opportunistic' | 'required';
}

/** How mail hosts of other kinds are spoken to. */
export interface ForeignMail {
  readonly port: number;
  readonly protocol: 'smtp' | 'lmtp';
  readonly tls: 'none' | 'opportunistic' | 'required';
  /** Whose certificates count. */
  readonly tlsOptions: ConnectionOptions;
  /** Whether connections begin with a PROXY header; they don't when absent. */
  readonly proxyProtocol?: 'none' | ProxyVersion | undefined;
}

export interface SmtpSendingOptions {
  /** Said in EHLO. */
  readonly hostName: string;
  readonly dnr: Dnr;
  readonly routes: readonly SendingRoute[];
  /** Mail hosts that are no nodes; SMTP on port 25 when absent. */
  readonly foreign?: ForeignMail | undefined;
  /** The port of servers found by MX: 25 but in tests. */
  readonly port: number;
  readonly connectTimeoutMs: number;
  /** Waits of each step where they differ from RFC 5321 section 4.5.3.2. */
  readonly timeouts: Partial<SmtpTimeouts>;
  readonly log: Logger;
}

/** Where mail is to go: to a domain's servers, or to one mail host of another kind (`port` as for all of them when undefined). */
export type SendingTarget = { readonly domain: string } | { readonly host: string; readonly port: number | undefined };

export interface SmtpSending {
  /**
   * Connects to the first server that answers, in the order of preference. Rejects with `SmtpRefused` when the domain can
   * never get mail (no such domain, null MX, MX loop) or all servers refuse; with a temporary Failure when none answers.
   * @param signal cuts the line when it is aborted, while it is opened and later.
   */
  open(target: SendingTarget, signal?: AbortSignal): Promise<DeliveryChannel>;
}

export function createSmtpSending(options: SmtpSendingOptions): SmtpSending {
  return {
    open: async (target, signal) => openBestServer(await serversFor(options, target), { ...options, signal }),
  };
}
