/** Bytes of IMAP and POP3 as lines for a protocol trace: secrets masked, texts of messages replaced by their length. Pure. */
import type { TellTrace } from './protocol-trace.ts';

/** A wiretap on a connection: bytes as they come and go. */
export interface Tap {
  received(bytes: Buffer): void;
  sent(bytes: Buffer): void;
}

const newline = 0x0a;
const longestKept = 4000;

/** Lines without their ends. With `literals`, what `{n}` announces (RFC 9051 section 4.3) is passed over, and the line goes on behind it. */
class WireLines {
  readonly #literals: 'literals' | 'plain';
  readonly #tell: (line: string, bytes: number) => void;
  #line = '';
  #bytes = 0;
  #skip = 0;
  /** Of the line: what announced literals that have been. */
  #passed = 0;

  constructor(literals: 'literals' | 'plain', tell: (line: string, bytes: number) => void) {
    this.#literals = literals;
    this.#tell = tell;
  }

  feed(bytes: Buffer): void {
    for (let at = 0; at < bytes.length;) {
      if (this.#skip > 0) {
        const passed = Math.min(this.#skip, bytes.length - at);
        this.#skip -= passed;
        at += passed;
        continue;
      }
      const found = bytes.indexOf(newline, at);
      const end = found < 0 ? bytes.length : found + 1;
      this.#bytes += end - at;
      // Of a long line its beginning is kept, and so much of its end that a literal is seen.
      const whole = this.#line + bytes.toString('latin1', at, end);
      this.#line = whole.length > longestKept ? `${whole.slice(0, longestKept - 40)}${whole.slice(-40)}` : whole;
      at = end;
      if (found >= 0) this.#finish();
    }
  }

  /** A literal that was announced and refused: the line is over. */
  giveUpLiteral(tag: string): void {
    if (this.#skip === 0 || !this.#line.startsWith(`${tag} `)) return;
    this.#skip = 0;
    this.#end();
  }

  #finish(): void {
    this.#line = this.#line.replace(/\r?\n$/, '');
    const length = this.#literals === 'literals' ? /\{(\d{1,15})\+?\}$/.exec(this.#line.slice(this.#passed))?.[1] : undefined;
    if (length === undefined) this.#end();
    else {
      this.#skip = Number(length);
      this.#passed = this.#line.length;
    }
  }

  #end(): void {
    const [line, bytes] = [this.#line, this.#bytes];
    this.#line = '';
    this.#bytes = 0;
    this.#passed = 0;
    this.#tell(line, bytes);
  }
}

export function imapTap(tell: TellTrace): Tap {
  const client = new WireLines('literals', (line) => tell('client', maskImap(line)));
  const server = new WireLines('literals', (line) => {
    const tag = /^(?![*+])(\S+) (?:NO|BAD) /.exec(line)?.[1];
    if (tag !== undefined) client.giveUpLiteral(tag);
    tell('server', line);
  });
  return { received: (bytes) => client.feed(bytes), sent: (bytes) => server.feed(bytes) };
}

/** Arguments of logins, and lines that are no command: answers of a SASL exchange. */
function maskImap(line: string): string {
  const login = /^\S+ (?:LOGIN|AUTHENTICATE)(?= )/i.exec(line)?.[0];
  if (login !== undefined) return `${login} ***`;
  return /^\S*$/.test(line) && line.toUpperCase() !== 'DONE' ? `(a line of ${String(line.length)} characters)` : line;
}

/** What a command's positive response is: one line, several, or the text of a message. */
type Pop3Response = 'line' | 'lines' | 'message';

export function pop3Tap(tell: TellTrace): Tap {
  // Begins in the middle of the command that logs in.
  const expected: Pop3Response[] = ['line'];
  let body: { readonly kind: Pop3Response; bytes: number } | undefined;
  const client = new WireLines('plain', (line) => {
    expected.push(pop3Response(line));
    tell('client', maskPop3(line));
  });
  const server = new WireLines('plain', (line, bytes) => {
    if (body === undefined) {
      const kind = expected.shift() ?? 'line';
      if (kind !== 'line' && line.startsWith('+OK')) body = { kind, bytes: 0 };
      tell('server', line);
    } else if (line === '.') {
      if (body.kind === 'message') tell('server', `(a message of ${String(body.bytes)} bytes)`);
      body = undefined;
      tell('server', line);
    } else if (body.kind === 'message') body.bytes += bytes;
    else tell('server', line);
  });
  return { received: (bytes) => client.feed(bytes), sent: (bytes) => server.feed(bytes) };
}

function pop3Response(line: string): Pop3Response {
  if (/^(?:RETR|TOP) /i.test(line)) return 'message';
  return /^(?:CAPA|(?:LIST|UIDL) *)$/i.test(line) ? 'lines' : 'line';
}

/** Lines that are no command are answers of a SASL exchange. */
function maskPop3(line: string): string {
  const verb = /^[a-z]{3,8}(?= |$)/i.exec(line)?.[0];
  if (verb === undefined) return `(a line of ${String(line.length)} characters)`;
  return /^(?:PASS|APOP|AUTH|USER|XCLIENT)$/i.test(verb) && line.length > verb.length ? `${verb} ***` : line;
}
