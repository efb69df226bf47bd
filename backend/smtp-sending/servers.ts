/** Which servers take the mail of a domain, in the order in which they are tried (RFC 5321 section 5.1). */
import type { ConnectionOptions } from 'node:tls';
import { Failure } from '../../shared/base/failure.ts';
import type { ProxyVersion } from '../../shared/net/proxy-header.ts';
import { makeReply } from '../../shared/smtp/reply.ts';
import { SmtpRefused } from '../../shared/smtp/refusal.ts';
import type { SendingTarget, SmtpSendingOptions } from './smtp-sending.ts';

/** One server to try. */
export interface Server {
  readonly host: string;
  readonly port: number;
  readonly tls: 'none' | 'opportunistic' | 'required';
  /** SMTP when absent. */
  readonly protocol?: 'lmtp' | 'smtp' | undefined;
  /** Whose certificates count; the system's authorities when absent. */
  readonly tlsOptions?: ConnectionOptions | undefined;
  /** Whether connections begin with a PROXY header; they don't when absent. */
  readonly proxyProtocol?: 'none' | ProxyVersion | undefined;
}

/** A domain may list any number of hosts; more than this are not tried at one time. */
const maxServers = 5;

/** Rejects as `SmtpSending.open` says. */
export async function serversFor(options: SmtpSendingOptions, target: SendingTarget): Promise<readonly Server[]> {
  if ('host' in target) return [{ tls: 'opportunistic', ...options.foreign, host: target.host, port: target.port ?? options.foreign?.port ?? 25 }];
  const route = options.routes.find(({ domain }) => domain === target.domain) ?? options.routes.find(({ domain }) => domain === '*');
  if (route !== undefined) return [{ host: route.host, port: route.port, tls: route.tls }];
  if (target.domain.startsWith('[')) return [literalServer(target.domain, options.port)];
  const exchangers = await options.dnr.mailExchangers(target.domain);
  if (exchangers.at === 'no-such-domain') throw refusal(550, '5.1.2', `domain ${target.domain} does not exist`);
  if (exchangers.at === 'none-wanted') throw refusal(556, '5.1.10', `domain ${target.domain} takes no mail (null MX)`);
  const hosts = inOrder(exchangers.hosts);
  const self = hosts.find(({ host }) => host === options.hostName.toLowerCase());
  // From ourselves on, mail would only come back to us (RFC 5321 section 5.1).
  const eligible = self === undefined ? hosts : hosts.filter(({ preference }) => preference < self.preference);
  if (eligible.length === 0) throw refusal(554, '5.4.6', `mail for ${target.domain} loops back to this server`);
  return withAddresses(options, eligible.slice(0, maxServers).map(({ host }) => host));
}

async function withAddresses(options: SmtpSendingOptions, hosts: readonly string[]): Promise<readonly Server[]> {
  const found: Server[] = [];
  let unanswered: unknown;
  for (const host of hosts) {
    try {
      const addresses = await options.dnr.addresses(host);
      found.push(...addresses.map((address) => ({ host: address, port: options.port, tls: 'opportunistic' as const })));
    } catch (thrown) {
      unanswered = thrown;
    }
  }
  if (found.length > 0) return found;
  if (unanswered !== undefined) throw new Failure('backend-unavailable', 'no name server gives the addresses of the mail exchangers', { cause: unanswered });
  throw refusal(550, '5.4.4', 'none of the mail exchangers has an address');
}

function literalServer(literal: string, port: number): Server {
  return { host: literal.slice(1, -1).replace(/^IPv6:/iu, ''), port, tls: 'opportunistic' };
}

/** Equal preferences in random order, as RFC 5321 section 5.1 wants. */
function inOrder<T extends { readonly preference: number }>(hosts: readonly T[]): T[] {
  return hosts
    .map((host) => ({ host, chance: Math.random() }))
    .sort((one, other) => one.host.preference - other.host.preference || one.chance - other.chance)
    .map(({ host }) => host);
}

function refusal(code: number, enhanced: string, text: string): SmtpRefused {
  return new SmtpRefused('routing', makeReply(code, enhanced, text));
}
