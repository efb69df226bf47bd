/**
 * The hashes of crypt(3) that directories hold: bcrypt, SHA-256, SHA-512 and MD5. Computed in a thread of its own, because
 * JavaScript computes them, and nothing else would go on meanwhile. What a hash may cost is bounded: it comes from a
 * directory, and must not be able to keep a worker busy for minutes.
 */
import { compareSync as compareBcrypt } from 'bcryptjs';
import { createHash, timingSafeEqual } from 'node:crypto';
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';
import { encrypt as shaCrypt } from 'unixcrypt';

/** About two seconds of one processor each; usual are 10 to 14, and 5000 to 700 000. */
const longestBcryptCost = 15;
const mostShaRounds = 1_000_000;

const bcryptGrammar = /^\$2[abxy]\$(?<cost>\d{2})\$[./A-Za-z0-9]{53}$/;
const shaGrammar = /^(?<salt>\$[56]\$(?:rounds=(?<rounds>\d{1,9})\$)?[^$]{1,16})\$[./A-Za-z0-9]{43,86}$/;
const md5Grammar = /^\$1\$(?<salt>[^$]{0,8})\$[./A-Za-z0-9]{22}$/;

/** Whether we can check a hash, and at a cost that we pay. */
export function isCheckable(hash: string): boolean {
  const bcrypt = bcryptGrammar.exec(hash)?.groups;
  if (bcrypt !== undefined) return Number(bcrypt['cost']) <= longestBcryptCost;
  const sha = shaGrammar.exec(hash)?.groups;
  return sha === undefined ? md5Grammar.test(hash) : Number(sha['rounds'] ?? 5000) <= mostShaRounds;
}

/** The whole check, at once: for the thread. */
function isPasswordOf(hash: string, password: string): boolean {
  if (bcryptGrammar.test(hash)) return compareBcrypt(password, hash);
  const sha = shaGrammar.exec(hash)?.groups?.['salt'];
  const computed = sha === undefined ? md5Crypt(password, md5Grammar.exec(hash)?.groups?.['salt'] ?? '') : shaCrypt(password, sha);
  const [one, other] = [Buffer.from(computed), Buffer.from(hash)];
  return one.length === other.length && timingSafeEqual(one, other);
}

const alphabet = './0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';
/** Which bytes of the digest make each group of four characters; the last makes two. */
const md5Groups = [[0, 6, 12], [1, 7, 13], [2, 8, 14], [3, 9, 15], [4, 10, 5], [11]] as const;

/** Poul-Henning Kamp's scheme, as glibc's crypt/md5-crypt.c has it: a thousand rounds whatever happens. */
function md5Crypt(password: string, salt: string): string {
  const secret = Buffer.from(password);
  const inner = createHash('md5').update(secret).update(salt).update(secret).digest();
  const first = createHash('md5').update(secret).update(`$1$${salt}`);
  for (let left = secret.length; left > 0; left -= 16) first.update(inner.subarray(0, Math.min(16, left)));
  for (let bits = secret.length; bits > 0; bits >>= 1) first.update((bits & 1) === 1 ? Buffer.of(0) : secret.subarray(0, 1));
  let digest = first.digest();
  for (let round = 0; round < 1000; round += 1) {
    const hash = createHash('md5').update(round % 2 === 1 ? secret : digest);
    if (round % 3 !== 0) hash.update(salt);
    if (round % 7 !== 0) hash.update(secret);
    digest = hash.update(round % 2 === 1 ? digest : secret).digest();
  }
  const text = md5Groups.map((group) => {
    let value = group.reduce<number>((bits, at) => (bits << 8) | (digest[at] ?? 0), 0);
    return Array.from({ length: group.length === 1 ? 2 : 4 }, () => {
      const letter = alphabet[value & 0x3f] ?? '';
      value >>= 6;
      return letter;
    }).join('');
  });
  return `$1$${salt}$${text.join('')}`;
}

interface Job { readonly number: number; readonly hash: string; readonly password: string }
type Done = { readonly number: number; readonly matches: boolean } | { readonly number: number; readonly fault: string };

/** One thread for each process, begun when it is first needed. */
class CryptThread {
  #worker: Worker | undefined;
  #last = 0;
  readonly #waiting = new Map<number, { readonly resolve: (matches: boolean) => void; readonly reject: (error: Error) => void }>();

  async check(hash: string, password: string): Promise<boolean> {
    this.#last += 1;
    const job: Job = { number: this.#last, hash, password };
    return new Promise((resolve, reject) => {
      this.#waiting.set(job.number, { resolve, reject });
      const worker = (this.#worker ??= this.#begin());
      worker.ref(); // a process waits for answers, not for a thread that has nothing to do
      worker.postMessage(job);
    });
  }

  #begin(): Worker {
    const worker = new Worker(new URL(import.meta.url), { workerData: threadMark });
    worker.on('message', (done: Done) => {
      const waiting = this.#waiting.get(done.number);
      this.#waiting.delete(done.number);
      if (this.#waiting.size === 0) worker.unref();
      if ('fault' in done) waiting?.reject(new Error(done.fault));
      else waiting?.resolve(done.matches);
    });
    worker.on('error', (error: Error) => {
      this.#worker = undefined;
      for (const { reject } of this.#waiting.values()) reject(error);
      this.#waiting.clear();
    });
    return worker;
  }
}

const threadMark = 'waybill unix-crypt';
const thread = new CryptThread();

/** Checks a password, off the event loop. Only for hashes that are `isCheckable`. */
export async function verifyUnixCrypt(hash: string, password: string): Promise<boolean> {
  return thread.check(hash, password);
}

if (!isMainThread && workerData === threadMark) {
  parentPort?.on('message', ({ number, hash, password }: Job) => {
    try {
      parentPort?.postMessage({ number, matches: isPasswordOf(hash, password) } satisfies Done);
    } catch (error) {
      parentPort?.postMessage({ number, fault: error instanceof Error ? error.message : String(error) } satisfies Done);
    }
  });
}
