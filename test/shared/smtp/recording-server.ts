/** A real SMTP or LMTP server for tests, built on server-session, that records what its handlers were told. */
import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from '../../../shared/log/log.ts';
import { createLog } from '../../../shared/log/log.ts';
import { listen } from '../../../shared/net/listener.ts';
import { createServerTls } from '../../../shared/net/server-tls.ts';
import { makeReply } from '../../../shared/smtp/reply.ts';
import type { Reply } from '../../../shared/smtp/reply.ts';
import { SmtpRefused } from '../../../shared/smtp/refusal.ts';
import { defaultSmtpLimits } from '../../../shared/smtp/limits.ts';
import type { SmtpLimits } from '../../../shared/smtp/limits.ts';
import { serveSmtp } from '../../../shared/smtp/server-session.ts';
import type { SmtpHandlers, SmtpPeer, SmtpServerOptionsOf, SmtpSessions } from '../../../shared/smtp/server-session.ts';
import { makeCertificates } from '../../harness/certificates.ts';
import { Dialogue } from '../../harness/dialogue.ts';

export const certificates = await makeCertificates({ fe1: 'frontend', be1: 'backend', be2: 'backend' });

export const quietLog: Logger = createLog({ node: 'test', level: 'silent' });

export interface Recorded {
  readonly port: number;
  readonly sessions: SmtpSessions;
  /** `mail s@x`, `rcpt r@y`, `message 12`, `close quit`, … in the order they came. */
  readonly events: string[];
  /** Whole messages, read to their end without a fault. */
  readonly messages: string[];
  readonly peers: SmtpPeer[];
}

type Options = Partial<Omit<SmtpServerOptionsOf<unknown>, 'limits' | 'handlers'>> & {
  readonly limits?: Partial<SmtpLimits>;
  readonly handlers?: Partial<SmtpHandlers<SmtpPeer>>;
};

/** Starts it on a free port; it stops with the test. */
export async function startRecordingServer(t: TestContext, given: Options = {}): Promise<Recorded> {
  const { certificate, key, authority } = certificates['be1'] ?? { certificate: '', key: '', authority: '' };
  const serverTls = createServerTls({ certificate, key, authority });
  const events: string[] = [];
  const messages: string[] = [];
  const peers: SmtpPeer[] = [];
  const ok: Reply = makeReply(250, '2.6.0', 'taken');
  const sessions = serveSmtp<SmtpPeer>({
    service: 'smtpReceiving', protocol: 'smtp', hostName: 'mx.example.com', encryption: 'starttls', serverTls: () => serverTls, authentication: 'none', trustedPeers: 'no',
    extensions: [], extraParameters: [], greetingDelayMs: 0, log: quietLog,
    replyTo: (thrown) => (thrown instanceof SmtpRefused ? thrown.reply : makeReply(451, '4.3.0', 'failed')),
    ...given,
    limits: { ...defaultSmtpLimits, ...given.limits },
    handlers: {
      open: (peer) => {
        peers.push(peer);
        return peer;
      },
      mail: async (_, sender) => {
        events.push(`mail ${sender.address}`);
        await Promise.resolve();
      },
      recipient: async (_, recipient) => {
        events.push(`rcpt ${recipient.address}`);
        await Promise.resolve();
      },
      message: async (_, bytes) => {
        const pieces: Buffer[] = [];
        for await (const piece of bytes) pieces.push(piece);
        messages.push(Buffer.concat(pieces).toString('latin1'));
        return ok;
      },
      close: (_, how) => events.push(`close ${how}`),
      ...given.handlers,
    },
  });
  const listener = await listen(
    { host: '127.0.0.1', port: 0, tls: given.encryption ?? 'starttls', serverTls, requestCertificate: 'yes', protocol: 'smtp', log: quietLog },
    (socket) => sessions.accept(socket),
  );
  t.after(async () => {
    await listener.close();
    await sessions.stop(100);
  });
  return { port: listener.port, sessions, events, messages, peers };
}

/** A client that has been greeted. */
export async function greeted(t: TestContext, port: number, tls: 'implicit' | 'none' = 'none'): Promise<Dialogue> {
  const client = await Dialogue.connect({ port, tls });
  t.after(() => client.close());
  await client.reply(220);
  return client;
}

/** To where the message comes next. */
export async function toData(client: Dialogue, hello = 'EHLO c'): Promise<void> {
  await client.ask(hello, 250);
  await client.ask('MAIL FROM:<s@example.net>', 250);
  await client.ask('RCPT TO:<r@example.com>', 250);
  await client.ask('DATA', 354);
}

/** A handler that reads a whole message, and takes half a second longer to answer. */
export function takingItsTime(words: string): SmtpHandlers<unknown>['message'] {
  return async (_, bytes) => {
    for await (const piece of bytes) assert.ok(piece.length > 0);
    await sleep(500);
    return makeReply(250, '2.6.0', words);
  };
}
