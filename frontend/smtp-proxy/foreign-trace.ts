/** What a message gets on its way to a foreign server: our Received field on top, and an end when it goes round in circles. */
import { mailDate } from '../../shared/mime/mail-date.ts';
import type { EnvelopeSender } from '../../shared/smtp/commands.ts';
import { HeaderFormScanner } from '../../shared/smtp/header-form.ts';
import { makeReply } from '../../shared/smtp/reply.ts';
import { SmtpRefused } from '../../shared/smtp/refusal.ts';
import type { SmtpPeer } from '../../shared/smtp/server-session.ts';
import { transmissionType } from '../../shared/smtp/transmission-type.ts';

/** RFC 5321 section 6.3 asks for a large threshold, 100 at least for a simple count. */
const mostReceivedFields = 100;
/** A header is not searched any further. */
const longestHeaderBytes = 1024 * 1024;

interface ForeignHop {
  readonly by: string;
  readonly peer: SmtpPeer;
  readonly sender: EnvelopeSender;
  readonly timeMs: number;
  /** `ascii`: the client may have sent an internationalised header (SMTPUTF8), and the server takes none. */
  readonly header: 'any' | 'ascii';
  /** `ascii`: the server takes no 8-bit bytes (RFC 6152 section 3). */
  readonly body: 'any' | 'ascii';
}

/** The message's bytes with the trace field (RFC 5321 section 4.4). @throws SmtpRefused while iterated, for a mail loop and for what the server can't take */
export async function* traced(bytes: AsyncIterable<Buffer>, hop: ForeignHop): AsyncGenerator<Buffer, void, void> {
  const counter = new ReceivedCounter();
  const scanner = new HeaderFormScanner();
  let first = true;
  for await (const piece of bytes) {
    counter.push(piece);
    if (hop.header === 'ascii') scanner.push(piece);
    if (scanner.form === 'utf8') throw new SmtpRefused('message', makeReply(554, '5.6.9', 'the mailbox\'s server does not take internationalised headers (SMTPUTF8)'));
    if (hop.body === 'ascii' && piece.some((byte) => byte >= 0x80)) throw new SmtpRefused('message', makeReply(554, '5.6.3', 'the mailbox\'s server takes 7-bit messages only'));
    if (first) yield Buffer.from(receivedField(hop));
    first = false;
    yield piece;
  }
}

function receivedField({ by, peer, sender, timeMs }: ForeignHop): string {
  const address = peer.address.includes(':') ? `IPv6:${peer.address}` : peer.address;
  const hello = (peer.hello ?? 'unknown').replace(/[^\w.:[\]-]/gu, '?').slice(0, 255);
  return `Received: from ${hello} ([${address}])\r\n\tby ${by} with ${transmissionType(peer.protocol, sender)} id ${peer.sessionId};\r\n\t${mailDate(timeMs)}\r\n`;
}

/** Counts Received fields as the header comes by, however it is cut. */
class ReceivedCounter {
  #line = '';
  #count = 0;
  #seen = 0;
  #inHeader = true;

  push(piece: Buffer): void {
    if (!this.#inHeader) return;
    this.#seen += piece.length;
    const lines = (this.#line + piece.toString('latin1')).split('\r\n');
    this.#line = (lines.pop() ?? '').slice(0, 64);
    for (const line of lines) {
      if (line === '') this.#inHeader = false;
      if (this.#inHeader && /^received[ \t]*:/i.test(line)) this.#count += 1;
    }
    if (this.#seen > longestHeaderBytes) this.#inHeader = false;
    if (this.#count > mostReceivedFields) throw new SmtpRefused('message', makeReply(554, '5.4.6', `mail loop: more than ${String(mostReceivedFields)} Received fields`));
  }
}
