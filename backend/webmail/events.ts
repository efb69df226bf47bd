/**
 * News for open pages (Server-Sent Events): "something changed in your mailboxes". A hint only rings; whether anything
 * changed is seen in the storage, which is also looked at now and then, since hints may be lost.
 */
import type { ServerResponse } from 'node:http';
import { Failure } from '../../shared/base/failure.ts';
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

export class EventStreams {
  readonly #hints: HintBus;
  readonly #open = new Map<string, Set<ServerResponse>>();

  constructor(hints: HintBus) {
    this.#hints = hints;
  }

  /** Answers with a stream of events that lives until the client leaves, or its time is over. @throws Failure('limit') */
  serve(response: ServerResponse, account: Account): void {
    const streams = this.#open.get(account.id) ?? new Set();
    if (streams.size >= maxStreamsPerAccount) throw new Failure('limit', 'Too many open WebMail pages.');
    this.#open.set(account.id, streams.add(response));
    response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store', 'x-accel-buffering': 'no' });
    response.write('retry: 2000\n\n');
    let seen = fingerprint(account);
    const look = (): void => {
      if (account.standing() === 'gone') return void response.end(); // the page connects anew, and is led to the account's new node
      const now = fingerprint(account);
      response.write(now === seen ? ': still here\n\n' : 'event: change\ndata: {}\n\n');
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
    const ending = setTimeout(() => response.end(), longestStreamMs);
    response.once('close', () => {
      unsubscribe();
      clearTimeout(gathering);
      clearInterval(ticking);
      clearTimeout(ending);
      streams.delete(response);
      if (streams.size === 0) this.#open.delete(account.id);
    });
  }

  /** Ends all streams; the pages connect to another worker or node. */
  stop(): void {
    for (const streams of this.#open.values()) for (const response of streams) response.end();
  }
}

function fingerprint(account: Account): string {
  return account.mailboxes().map(({ id, name, highestModseq, messages }) => `${String(id)} ${name} ${String(highestModseq)} ${String(messages)}`).join('\n');
}
