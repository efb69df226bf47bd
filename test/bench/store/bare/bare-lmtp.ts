/** A connection of LMTP to the bare server: LHLO, MAIL, RCPT, DATA and QUIT; replies to commands that came together leave together (RFC 2920 section 3.2). */
import type { Socket } from 'node:net';
import type { BareState } from './bare-imap.ts';

const lineFeed = 0x0a;
const finalDot = Buffer.from('\r\n.\r\n');
const stuffedDot = Buffer.from('\r\n..');

export class BareLmtp {
  readonly #socket: Socket;
  readonly #state: BareState;
  #recipients: string[] = [];
  #reading: 'commands' | 'message' = 'commands';
  /** Of a line or message that has not ended. */
  #begun: Buffer | undefined;

  constructor(socket: Socket, state: BareState) {
    this.#socket = socket;
    this.#state = state;
    socket.setNoDelay(true);
    socket.on('data', (data: Buffer) => this.#take(data));
    socket.on('error', () => socket.destroy());
    socket.write('220 ready\r\n');
  }

  #take(data: Buffer): void {
    let rest = this.#begun === undefined ? data : Buffer.concat([this.#begun, data]);
    let replies = '';
    for (;;) {
      const end = this.#reading === 'message' ? rest.indexOf(finalDot) + finalDot.length : rest.indexOf(lineFeed) + 1;
      if (end < (this.#reading === 'message' ? finalDot.length : 1)) break;
      if (this.#reading === 'message') this.#deliver(rest.subarray(0, end - 3));
      else replies += this.#reply(rest.toString('latin1', 0, end).trimEnd());
      rest = rest.subarray(end);
    }
    this.#begun = rest.length > 0 ? rest : undefined;
    if (replies !== '') this.#socket.write(replies, 'latin1');
  }

  #reply(line: string): string {
    const verb = line.slice(0, 4);
    if (verb === 'RCPT') this.#recipients.push(line.slice(9, -1));
    else if (verb === 'DATA') {
      this.#reading = 'message';
      return '354 go on\r\n';
    } else if (verb === 'QUIT') return '221 done\r\n';
    else if (verb === 'LHLO') return '250-bare\r\n250 PIPELINING\r\n';
    else if (verb !== 'MAIL') return '500 not known\r\n';
    return '250 go on\r\n';
  }

  /** Dots that the client has put before others at the beginnings of lines are taken away (RFC 5321 section 4.5.2). */
  #deliver(stuffed: Buffer): void {
    this.#reading = 'commands';
    const message: Buffer[] = [];
    let from = 0;
    for (let at = stuffed.indexOf(stuffedDot); at >= 0; at = stuffed.indexOf(stuffedDot, at + 1)) {
      message.push(stuffed.subarray(from, at + 2));
      from = at + 3;
    }
    message.push(stuffed.subarray(from));
    const size = message.reduce((sum, { length }) => sum + length, 0);
    const recipients = this.#recipients;
    this.#recipients = [];
    const places = recipients.map((user) => `${user} ${String(this.#state.mailbox(user, 'INBOX').add())}`);
    this.#state.records.add({
      key: places, text: `DELIVER ${places.join(' ')} ${String(Date.now())} ${String(size)}\n`, message,
      told: () => this.#socket.write(recipients.map(() => '250 done\r\n').join('')),
    });
  }
}
