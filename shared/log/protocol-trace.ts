/**
 * The protocol trace of single accounts, which an administrator switches on for a while: what their sessions say, written down by one
 * back-end. Sessions ask once; while nobody is traced they pay nothing more. What is said before it is known whose a session is waits.
 */

export type Way = 'client' | 'server';
/** Takes a line of the conversation, without secrets and texts of messages. */
export type TellTrace = (way: Way, text: string) => void;

/** A session, before it is known whose it is. */
export interface TracedConversation {
  readonly service: string;
  readonly session: string;
}

export interface TracedSession extends TracedConversation {
  /** Canonical address. */
  readonly account: string;
}

export interface TraceTerms {
  /** Milliseconds since 1970; a time in the past switches it off. */
  readonly untilMs: number;
  /** The back-end that writes it down. */
  readonly keeper: string;
  /** Whether front-ends also tell what they pass on after login. */
  readonly stream: 'yes' | 'no';
}

const longestText = 2000;
const mostAccounts = 100;
/** Of what waits for a login, each session: characters. */
const mostWaiting = 16_384;

/** By account and keeper: two back-ends may keep traces of one account, at the front-ends. */
const traced = new Map<string, { readonly account: string; readonly terms: TraceTerms }>();
let output: TraceOutput | undefined;

export interface TraceOutput {
  readonly node: string;
  /** Completes names without a domain. */
  readonly primaryDomain: string;
  /** Takes a line, newline included. */
  write(line: string, keeper: string): void;
}

/** Says what takes the lines of this process. */
export function openProtocolTrace(to: TraceOutput): void {
  output = to;
}

/** For sessions that begin from now on; sessions under way end theirs when the time is over. */
export function traceProtocol(account: string, terms: TraceTerms): 'done' | 'too many accounts' {
  const key = `${account} ${terms.keeper}`;
  for (const [known, { terms: { untilMs } }] of traced) if (untilMs <= Date.now()) traced.delete(known);
  traced.delete(key);
  if (terms.untilMs <= Date.now()) return 'done';
  if (traced.size >= mostAccounts) return 'too many accounts';
  traced.set(key, { account, terms });
  return 'done';
}

/** Until when an account is traced, milliseconds since 1970; undefined when it is not. */
export function tracedUntil(account: string): number | undefined {
  const ends = termsOf(account).map(({ untilMs }) => untilMs);
  return ends.length === 0 ? undefined : Math.max(...ends);
}

function termsOf(account: string): readonly TraceTerms[] {
  return [...traced.values()].flatMap((one) => (one.account === account && one.terms.untilMs > Date.now() ? [one.terms] : []));
}

/** What takes the lines of a session; undefined when its account is not traced. */
export function traceOf(about: TracedSession): TellTrace | undefined {
  if (traced.size === 0 || output === undefined || termsOf(about.account).length === 0) return undefined;
  return (way, text) => writeDown(about, { time: new Date().toISOString(), way, text });
}

interface Said {
  readonly time: string;
  readonly way: Way;
  readonly text: string;
}

function writeDown({ service, session, account }: TracedSession, { time, way, text }: Said): void {
  for (const { keeper } of termsOf(account)) output?.write(`${JSON.stringify({ time, host: output.node, service, session, account, way, text: text.slice(0, longestText) })}\n`, keeper);
}

/** The trace of a session that is not known to be anybody's yet; undefined while no account is traced. */
export function beginTrace(about: TracedConversation): WaitingTrace | undefined {
  return traced.size === 0 ? undefined : new WaitingTrace(about);
}

/** Keeps what is said until somebody logs in, or tries to: then it is told if they are traced, and forgotten if others came in. */
export class WaitingTrace {
  #about: TracedConversation;
  #waiting: Said[] = [];
  #waitingChars = 0;
  #whose: { readonly at: 'nobody' } | { readonly at: 'account'; readonly account: string } | { readonly at: 'somebody else' } = { at: 'nobody' };

  constructor(about: TracedConversation) {
    this.#about = about;
  }

  readonly tell: TellTrace = (way, text) => {
    const said = { time: new Date().toISOString(), way, text: text.slice(0, longestText) };
    if (this.#whose.at === 'account') writeDown({ ...this.#about, account: this.#whose.account }, said);
    else if (this.#whose.at === 'nobody' && this.#waitingChars + said.text.length <= mostWaiting) {
      this.#waiting.push(said);
      this.#waitingChars += said.text.length + 1;
    }
  };

  /** A proxy in front names the session as it knows it. */
  assume(session: string): void {
    this.#about = { ...this.#about, session };
  }

  /** Somebody tries to log in under this name, which may be anything. */
  claim(name: string): void {
    const account = (name.includes('@') ? name : `${name}@${output?.primaryDomain ?? ''}`).toLowerCase();
    if (termsOf(account).length === 0) return;
    this.#whose = { at: 'account', account };
    const waiting = this.#waiting;
    this.#forget();
    for (const said of waiting) writeDown({ ...this.#about, account }, said);
  }

  /** It is known whose session it is. Answers whether what comes after the login is to be told at a front-end. */
  settle(account: string): 'on' | 'over' {
    this.claim(account);
    if (this.#whose.at === 'account' && this.#whose.account === account) return termsOf(account).some(({ stream }) => stream === 'yes') ? 'on' : 'over';
    this.#whose = { at: 'somebody else' };
    this.#forget();
    return 'over';
  }

  #forget(): void {
    this.#waiting = [];
    this.#waitingChars = 0;
  }
}
