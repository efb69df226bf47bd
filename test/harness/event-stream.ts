/** Reads a stream of server-sent events in tests. */
import { request as httpsRequest } from 'node:https';
import type { IncomingMessage } from 'node:http';

export class EventStream {
  readonly status: number;
  readonly #answer: IncomingMessage;
  #text = '';
  #wake: () => void = () => undefined;

  private constructor(answer: IncomingMessage) {
    this.status = answer.statusCode ?? 0;
    this.#answer = answer;
    answer.setEncoding('utf8');
    answer.on('error', () => this.#wake());
    answer.on('data', (piece: string) => {
      this.#text += piece;
      this.#wake();
    });
  }

  static async open(url: string, cookie: string | undefined): Promise<EventStream> {
    return new Promise((resolve, reject) => {
      const sent = httpsRequest(url, { rejectUnauthorized: false, agent: false, headers: { cookie: cookie ?? '' } });
      sent.on('error', reject);
      sent.on('response', (answer) => resolve(new EventStream(answer)));
      sent.end();
    });
  }

  /** Waits until the stream has said it. */
  async until(words: string, timeoutMs = 15_000): Promise<void> {
    const endMs = Date.now() + timeoutMs;
    while (!this.#text.includes(words)) {
      if (Date.now() > endMs) throw new Error(`not heard in time: ${words}; heard: ${this.#text}`);
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
        setTimeout(resolve, 50);
      });
    }
  }

  /** Cuts the line, as a browser does that is closed. */
  cut(): void {
    this.#answer.destroy();
  }
}
