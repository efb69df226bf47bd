/** Bytes of IMAP and POP3 as lines for a protocol trace: secrets masked, texts of messages replaced by their length. Pure. */
import type { TellTrace } from './protocol-trace.ts';
import { maskedMechanism, unknownLine } from './masked-lines.ts';

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
  /** Whether what is passed over waits for the server's word, which may be no. */
  #waits = false;
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

  /** A literal that was announced and refused: the line is over. One that needs no leave (`{n+}`) comes all the same. */
  giveUpLiteral(tag: string): void {
    if (this.#skip === 0 || !this.#waits || !this.#line.startsWith(`${tag} `)) return;
    this.#skip = 0;
    this.#end();
  }

  #finish(): void {
    this.#line = this.#line.replace(/\r?\n$/, '');
    const literal = this.#literals === 'literals' ? /\{(\d{1,15})(\+?)\}$/.exec(this.#line.slice(this.#passed)) : null;
    if (literal === null) this.#end();
    else {
      this.#skip = Number(literal[1]);
      this.#waits = literal[2] === '';
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

/**
 * Where a tap begins to listen. Before the login only what is known to be harmless is told word for word. Who listens from there is a proxy,
 * which sees also what a client and its server have agreed to compress (RFC 4978) as it passes: of that nothing is told.
 */
export type Begins = 'before login' | 'after login';

export function imapTap(tellAll: TellTrace, begins: Begins = 'after login'): Tap {
  const tell: TellTrace = (way, text) => tellAll(way, text.replaceAll(urlToken, '$1***'));
  let phase: Begins | 'compressed' = begins;
  /** Tags of logins that are not answered yet, and of the exchange to which all belongs that the client sends. */
  const logins = new Set<string>();
  let exchange: string | undefined;
  /** Tags of COMPRESS. */
  const compressions = new Set<string>();
  const client = new WireLines('literals', (line) => {
    if (phase === 'compressed') return;
    if (phase === 'after login') {
      const compression = begins === 'before login' ? /^(\S+) COMPRESS /i.exec(line)?.[1] : undefined;
      if (compression !== undefined) compressions.add(compression);
      return tell('client', maskImap(line));
    }
    if (exchange !== undefined) return tell('client', unknownLine(line));
    const [, tag = '', verb = ''] = /^(\S+) (LOGIN|AUTHENTICATE)(?= |$)/i.exec(line) ?? [];
    if (tag !== '') logins.add(tag);
    if (verb.toUpperCase() === 'AUTHENTICATE') exchange = tag;
    tell('client', maskImapBeforeLogin(line));
  });
  const server = new WireLines('literals', (line) => {
    if (phase === 'compressed') return;
    const [, tag, status] = /^(?![*+])(\S+) (OK|NO|BAD) /.exec(line) ?? [];
    if (tag !== undefined && status !== 'OK') client.giveUpLiteral(tag);
    const isChallenge = exchange !== undefined && line.startsWith('+ ');
    if (tag !== undefined && logins.delete(tag) && status === 'OK') phase = 'after login';
    if (tag !== undefined && tag === exchange) exchange = undefined;
    tell('server', isChallenge ? `+ (${String(line.length - 2)} characters)` : line);
    if (tag === undefined || !compressions.delete(tag) || status !== 'OK') return;
    phase = 'compressed';
    tell('server', '(compressed from here on: a trace of the back-end shows it)');
  });
  return { received: (bytes) => client.feed(bytes), sent: (bytes) => server.feed(bytes) };
}

/** What lets whoever has a URL read the message (RFC 4467). */
const urlToken = /(:internal:)[0-9a-f]{16,}/gi;

function maskImapBeforeLogin(line: string): string {
  const [, tag, verb = '', rest = ''] = /^(\S+) (LOGIN|AUTHENTICATE)(?: (.*))?$/i.exec(line) ?? [];
  if (tag !== undefined) return verb.toUpperCase() === 'LOGIN' ? `${tag} ${verb} ***` : `${tag} ${verb} ${maskedMechanism(rest)}`;
  return /^\S+ (?:CAPABILITY|NOOP|LOGOUT|STARTTLS|ID)(?= |$)/i.test(line) ? line : unknownLine(line);
}

/** Arguments of logins, however they are garbled, and lines that are no command: answers of a SASL exchange. */
function maskImap(line: string): string {
  const login = /^\s*(?:\S+\s+)?(?:LOGIN|AUTHENTICATE)(?=\s)/i.exec(line)?.[0];
  if (login !== undefined) return `${login} ***`;
  return /^\S*$/.test(line) && line.toUpperCase() !== 'DONE' ? unknownLine(line) : line;
}

/** What a command's positive response is: one line, several, or the text of a message. */
type Pop3Response = 'line' | 'lines' | 'message';

/** Before and after the login. */
export function pop3Tap(tell: TellTrace): Tap {
  // Begins with the greeting, or in the middle of the command that logs in.
  const expected: Pop3Response[] = ['line'];
  let body: { readonly kind: Pop3Response; bytes: number } | undefined;
  let isExchange = false;
  const client = new WireLines('plain', (line) => {
    expected.push(pop3Response(line));
    tell('client', isExchange ? unknownLine(line) : maskPop3(line));
    if (/^AUTH /i.test(line)) isExchange = true;
  });
  const server = new WireLines('plain', (line, bytes) => {
    if (body === undefined) {
      const kind = expected.shift() ?? 'line';
      if (kind !== 'line' && line.startsWith('+OK')) body = { kind, bytes: 0 };
      if (/^(?:\+OK|-ERR)/.test(line)) isExchange = false;
      tell('server', isExchange && line.startsWith('+ ') ? `+ (${String(line.length - 2)} characters)` : line);
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
  return /^(?:(?:CAPA|AUTH|LIST|UIDL) *)$/i.test(line) ? 'lines' : 'line';
}

/** Lines that are no command may be answers of a SASL exchange, or a password in the wrong place. */
function maskPop3(line: string): string {
  const [, verb, rest = ''] = /^([a-z]{3,8})(?: (.*))?$/i.exec(line) ?? [];
  switch (verb?.toUpperCase()) {
    case 'USER': case 'PASS': case 'APOP': case 'XCLIENT': return line.length > (verb?.length ?? 0) ? `${verb ?? ''} ***` : line;
    case 'AUTH': return rest === '' ? line : `${verb ?? ''} ${maskedMechanism(rest)}`;
    case 'CAPA': case 'STLS': case 'QUIT': case 'NOOP': case 'RSET': case 'STAT': case 'LIST': case 'UIDL': case 'RETR': case 'TOP': case 'DELE': case 'LANG': case 'UTF8': return line;
    default: return unknownLine(line);
  }
}
