/** The opening of a connection to another server: connect, greeting, EHLO, STARTTLS where it is offered. */
import { proxyHeader } from '../../shared/net/proxy-header.ts';
import { openSmtpClient } from '../../shared/smtp/client.ts';
import type { SmtpClient } from '../../shared/smtp/client.ts';
import { makeReply } from '../../shared/smtp/reply.ts';
import { SmtpRefused } from '../../shared/smtp/refusal.ts';
import { SmtpChannel } from './channel.ts';
import type { DeliveryChannel } from './channel.ts';
import type { Server } from './servers.ts';
import type { SmtpSendingOptions } from './smtp-sending.ts';

interface OpeningOptions extends SmtpSendingOptions {
  readonly signal: AbortSignal | undefined;
}

/** Tries the servers in turn. Rejects with what the last one said or did; a temporary reason is preferred, since it gives the mail another chance. */
export async function openBestServer(servers: readonly Server[], options: OpeningOptions): Promise<DeliveryChannel> {
  let reason: unknown;
  for (const server of servers) {
    try {
      return await openServer(server, options);
    } catch (thrown) {
      options.log.debug({ err: thrown, server: server.host }, 'server not usable');
      if (reason === undefined || !isTemporaryReason(reason)) reason = thrown;
    }
  }
  throw reason;
}

function isTemporaryReason(thrown: unknown): boolean {
  return thrown instanceof SmtpRefused ? thrown.temporary : true;
}

async function openServer(server: Server, options: OpeningOptions): Promise<DeliveryChannel> {
  try {
    return await introduce(server, options, server.tls);
  } catch (thrown) {
    const mayDoWithout = server.tls === 'opportunistic' && thrown instanceof TlsFailed;
    if (!mayDoWithout) throw thrown instanceof TlsFailed ? thrown.cause : thrown;
    options.log.info({ server: server.host, err: thrown.cause }, 'TLS failed: sending without (opportunistic)');
    return introduce(server, options, 'none');
  }
}

async function introduce(server: Server, options: OpeningOptions, tls: Server['tls']): Promise<DeliveryChannel> {
  const { protocol = 'smtp', proxyProtocol = 'none' } = server;
  const preface = proxyProtocol === 'none' ? undefined : proxyHeader(proxyProtocol, undefined);
  const client = await openSmtpClient(
    { host: server.host, port: server.port, timeoutMs: options.connectTimeoutMs, preface },
    { protocol, timeouts: options.timeouts, signal: options.signal },
  );
  try {
    await client.hello(options.hostName);
    if (tls !== 'none' && client.extensions.has('STARTTLS')) {
      await encrypt(client, server, tls);
      await client.hello(options.hostName);
    } else if (tls === 'required') {
      throw new SmtpRefused('starttls', makeReply(450, '4.7.4', 'TLS is required, and the server does not offer it'));
    }
    return new SmtpChannel(client, { peer: server.host, protocol });
  } catch (thrown) {
    client.destroy();
    throw thrown;
  }
}

/** Opportunistic TLS takes any certificate: it keeps listeners out, not impostors (RFC 7435). */
async function encrypt(client: SmtpClient, server: Server, tls: 'opportunistic' | 'required'): Promise<void> {
  try {
    const check = tls === 'required' ? (server.tlsOptions?.rejectUnauthorized ?? true) : false;
    await client.startTls({ ...server.tlsOptions, host: server.host, servername: /^[\d.]+$|:/u.test(server.host) ? '' : server.host, rejectUnauthorized: check });
  } catch (thrown) {
    throw new TlsFailed(thrown);
  }
}

class TlsFailed extends Error {
  constructor(cause: unknown) {
    super('TLS could not be set up', { cause });
  }
}
