/** Bounds the memory that messages being written take: bodies are held whole while the message is built. */
import type { IncomingMessage } from 'node:http';
import { Failure } from '../../shared/base/failure.ts';

export class UploadBudget {
  #left: number;
  readonly #largest: number;

  /** @param bytes for all requests of this process at once. @param largest what a body may have that does not say its length */
  constructor({ bytes, largest }: { readonly bytes: number; readonly largest: number }) {
    this.#left = bytes;
    this.#largest = largest;
  }

  /** Does the work while the request's body is accounted for. @throws Failure('limit') when too much is under way */
  async within<Result>(request: IncomingMessage, work: () => Promise<Result>): Promise<Result> {
    const bytes = Math.min(Number(request.headers['content-length'] ?? this.#largest), this.#largest);
    if (bytes > this.#left) throw new Failure('limit', 'The server is busy with other messages. Try again in a moment.');
    this.#left -= bytes;
    try {
      return await work();
    } finally {
      this.#left += bytes;
    }
  }
}
