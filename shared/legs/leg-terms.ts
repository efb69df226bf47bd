/**
 * What a front-end and a back-end agree on at each login, so that the connection between them (a leg) can serve the next login when
 * the session is over. Two secrets, since everything else on a leg may be said by the client or by its mail. Pure, but for their making.
 */
import { randomFillSync, timingSafeEqual } from 'node:crypto';

export interface LegTerms {
  /** Said by the back-end behind its last words to the client: the leg is the front-end's again. No byte of it may reach the client. */
  readonly release: Buffer;
  /** Said by the front-end before anything else of the next login: what a client had under way to its own session can't be taken for one. */
  readonly claim: string;
}

const secretLength = 32;
const pattern = /^[0-9a-f]{64}$/;
/**
 * A release begins with it and holds no line feed, with which everything ends that a server says in IMAP and POP3: so nothing that a
 * client waits for is ever held back as a possible beginning of one. Nor is the end of a compressed answer (RFC 4978): a flush ends in FF.
 */
const releaseMark = 0;
export const releaseLength = 1 + secretLength;

const pool = Buffer.alloc(128 * secretLength);
let used = pool.length;

/** As they travel: 256 random bits. */
export function newLegTerms(): string {
  if (used === pool.length) {
    randomFillSync(pool);
    used = 0;
  }
  used += secretLength;
  return pool.toString('hex', used - secretLength, used);
}

/** Undefined for anything that `newLegTerms` did not make. */
export function parseLegTerms(text: string | undefined): LegTerms | undefined {
  if (text === undefined || !pattern.test(text)) return undefined;
  const release = Buffer.alloc(releaseLength, releaseMark);
  release.write(text.slice(0, secretLength), 1, 'latin1');
  return { release, claim: text.slice(secretLength) };
}

export function isClaim(line: string, { claim }: LegTerms): boolean {
  return line.length === claim.length && timingSafeEqual(Buffer.from(line, 'latin1'), Buffer.from(claim, 'latin1'));
}

/** Finds the release in what a back-end sends, however it is cut into pieces. It counts only as the last bytes there are. */
export class ReleaseWatch {
  readonly #release: Buffer;
  #held: Buffer | undefined;
  #released = false;

  constructor({ release }: LegTerms) {
    this.#release = release;
  }

  get released(): boolean {
    return this.#released;
  }

  /** What the client may have of the bytes that came, and of those held back before. */
  pass(bytes: Buffer): Buffer {
    const all = this.#held === undefined ? bytes : Buffer.concat([this.#held, bytes]);
    this.#held = undefined;
    for (let at = all.indexOf(releaseMark, Math.max(0, all.length - releaseLength)); at >= 0; at = all.indexOf(releaseMark, at + 1)) {
      const length = all.length - at;
      if (!this.#release.subarray(0, length).equals(all.subarray(at))) continue;
      if (length === releaseLength) this.#released = true;
      else this.#held = all.subarray(at);
      return all.subarray(0, at);
    }
    return all;
  }
}
