/** A message that can be given to another back-end as long as nothing of it was sent. */

/** An iterable that knows whether anything was taken from it: until then the message may go elsewhere. */
export class OnceStarted implements AsyncIterable<Buffer> {
  started = false;
  readonly #bytes: AsyncIterable<Buffer>;

  constructor(bytes: AsyncIterable<Buffer>) {
    this.#bytes = bytes;
  }

  [Symbol.asyncIterator](): AsyncIterator<Buffer> {
    this.started = true;
    return this.#bytes[Symbol.asyncIterator]();
  }
}
