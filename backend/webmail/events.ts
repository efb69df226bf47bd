/**
 * News for open pages: "something changed in your mailboxes", by WebSocket, or by Server-Sent Events where one does not
 * come about. A hint only rings; whether anything changed is seen in the storage, which is also looked at now and then,
 * since hints may be lost.
 */
import type { ServerResponse } from 'node:http';
import { Failure } from '../../shared/base/failure.ts';
import type { Upgrade } from '../../shared/http/http-service.ts';
import { closeCodes } from '../../shared/http/web-socket-frames.ts';
import { SpeakingSocket } from '../../shared/http/web-socket.ts';
import type { HintBus } from '../../shared/service/service.ts';
import type { Account } from '../storage/storage.ts';

/** Also the heartbeat that keeps proxies from cutting the line. */
const lookEveryMs = 25_000;
/** Changes within this time make one event. */
const gatherMs = 150;
/** Then the page connects anew, and its session is checked. */
const longestStreamMs = 10 * 60_000;
/** Open pages of one account at one worker. */
const maxStreamsPerAccount = 20;

/** The way to one open page. */
interface Line {
  tell(news: 'change' | 'nothing'): void;
  end(): void;
  onClose(listener: () => void): void;
}

export class EventStreams {
  readonly #hints: HintBus;
  readonly #open = new Map<string, Set<Line>>();

  constructor(hints: HintBus) {
    this.#hints = hints;
  }

  /** Answers with a stream of events that lives until the client leaves, or its time is over. @throws Failure('limit') */
  serve(response: ServerResponse, account: Account): void {
    this.#checkLimit(account);
    response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store', 'x-accel-buffering': 'no' });
    response.write('retry: 2000\n\n');
    this.#keep(eventLine(response), account);
  }

  /** The same by WebSocket: a text `change` for each event. @throws Failure('limit'), Failure('bad-input') when it is no handshake */
  speak(upgrade: Upgrade, account: Account): void {
    this.#checkLimit(account);
    this.#keep(socketLine(new SpeakingSocket(upgrade)), account);
  }

  /** Ends all streams; the pages connect to another worker or node. */
  stop(): void {
    for (const lines of this.#open.values()) for (const line of lines) line.end();
  }

  #checkLimit(account: Account): void {
    if ((this.#open.get(account.id)?.size ?? 0) >= maxStreamsPerAccount) throw new Failure('limit', 'Too many open WebMail pages.');
  }

  #keep(line: Line, account: Account): void {
    const lines = this.#open.get(account.id) ?? new Set();
    this.#open.set(account.id, lines.add(line));
    let seen = fingerprint(account);
    const look = (): void => {
      const standing = account.standing();
      if (standing === 'gone' || standing === 'away' || standing === 'barred' || account.currentSessionEpoch() !== account.sessionEpoch) return void line.end(); // the page connects anew: it is led to the account's new node, or told that it is signed out
      const now = fingerprint(account);
      line.tell(now === seen ? 'nothing' : 'change');
      seen = now;
    };
    let gathering: NodeJS.Timeout | undefined;
    const unsubscribe = this.#hints.subscribe((hint) => {
      if (hint.account !== account.id || gathering !== undefined) return;
      gathering = setTimeout(() => {
        gathering = undefined;
        look();
      }, gatherMs);
    });
    const ticking = setInterval(look, lookEveryMs);
    const ending = setTimeout(() => line.end(), longestStreamMs);
    line.onClose(() => {
      unsubscribe();
      clearTimeout(gathering);
      clearInterval(ticking);
      clearTimeout(ending);
      lines.delete(line);
      if (lines.size === 0) this.#open.delete(account.id);
    });
  }
}

function eventLine(response: ServerResponse): Line {
  return {
    tell: (news) => response.write(news === 'nothing' ? ': still here\n\n' : 'event: change\ndata: {}\n\n'),
    end: () => response.end(),
    onClose: (listener) => response.once('close', listener),
  };
}

function socketLine(socket: SpeakingSocket): Line {
  return {
    tell: (news) => {
      if (news === 'nothing') socket.ping();
      else socket.send('change');
    },
    end: () => socket.close(closeCodes.goingAway),
    onClose: (listener) => socket.onClose(listener),
  };
}

function fingerprint(account: Account): string {
  return account.mailboxes().map(({ id, name, highestModseq, messages }) => `${String(id)} ${name} ${String(highestModseq)} ${String(messages)}`).join('\n');
}
