/** What a Received field says a message came by (pure). */
import type { EnvelopeSender } from './commands.ts';

/** The name that goes with SMTPUTF8, where the client said so in MAIL: `UTF8SMTPSA` for `ESMTPSA`, `UTF8LMTPS` for `LMTPS` (RFC 6531 sections 3.7.3 and 4.3). */
export function transmissionType(protocol: string, { smtpUtf8 }: Pick<EnvelopeSender, 'smtpUtf8'>): string {
  return smtpUtf8 === true ? protocol.replace(/^(?:E(?=SMTP)|(?=LMTP))/, 'UTF8') : protocol;
}
