/** Finds lines in a node's log files, those put away and compressed among them; bounded in time, bytes and lines. */
import { createReadStream, readlinkSync, statSync } from 'node:fs';
import type { Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { awayFiles } from './rotation.ts';

export interface LogQuestion {
  /** Lines that have one of them, as it stands. */
  readonly terms: readonly string[];
  /** Lines since then, milliseconds since 1970. */
  readonly sinceMs: number;
  readonly limits: { readonly lines: number; readonly bytes: number; readonly ms: number };
}

export interface LogFindings {
  /** In the order of their files, older ones first. */
  readonly lines: readonly string[];
  /** Whether a limit ended the search before everything was read. */
  readonly end: 'complete' | 'cut';
  readonly files: readonly string[];
}

const longestLine = 256 * 1024;

/** Searches `files` with everything that was put away of them. */
export async function searchLogs(files: readonly string[], question: LogQuestion): Promise<LogFindings> {
  const search = new Search(question);
  for (const file of files) {
    const away = (await awayFiles(file)).filter(({ atMs, form }) => form !== 'unfinished' && atMs >= question.sinceMs);
    const names = new Set(away.map(({ path }) => path));
    for (const { path, form } of away.toReversed()) {
      if (form === 'plain' && names.has(`${path}.gz`)) continue; // just compressed
      await search.read(path, form === 'gzip' ? createReadStream(path).pipe(createGunzip()) : createReadStream(path));
    }
    await search.read(file, createReadStream(file));
  }
  return search.findings;
}

/** The file that standard output is, where it is one: nodes that log there are searched, too. */
export function standardOutputFile(): string | undefined {
  try {
    const path = readlinkSync('/proc/self/fd/1');
    return statSync(path).isFile() ? path : undefined;
  } catch {
    return undefined; // no such thing on this system
  }
}

class Search {
  readonly #question: LogQuestion;
  readonly #wanted: RegExp;
  readonly #deadline: number;
  readonly #lines: string[] = [];
  readonly #files: string[] = [];
  #bytes = 0;
  #end: 'complete' | 'cut' = 'complete';

  constructor(question: LogQuestion) {
    this.#question = question;
    this.#wanted = new RegExp(question.terms.map(literally).join('|'), 'i');
    this.#deadline = performance.now() + question.limits.ms;
  }

  get findings(): LogFindings {
    return { lines: this.#lines, end: this.#end, files: this.#files };
  }

  async read(path: string, stream: Readable): Promise<void> {
    let rest = '';
    this.#files.push(path);
    stream.setEncoding('utf8');
    try {
      for await (const piece of stream as AsyncIterable<string>) {
        const text = rest + piece;
        const end = text.lastIndexOf('\n') + 1;
        if (this.#wanted.test(text.slice(0, end))) for (const line of text.slice(0, end - 1).split('\n')) this.#judge(line);
        rest = text.length - end > longestLine ? '' : text.slice(end);
        this.#bytes += piece.length;
        if (this.#isSpent()) return;
      }
    } catch {
      this.#files.pop(); // put away or removed in this moment, or not there yet
    } finally {
      stream.destroy();
    }
  }

  #judge(line: string): void {
    if (!this.#wanted.test(line) || this.#lines.length >= this.#question.limits.lines) return;
    const time = /"time":"([^"]+)"/.exec(line)?.[1];
    if (line.startsWith('{') && (time === undefined || Date.parse(time) >= this.#question.sinceMs)) this.#lines.push(line);
  }

  #isSpent(): boolean {
    const { limits } = this.#question;
    const spent = this.#lines.length >= limits.lines || this.#bytes >= limits.bytes || performance.now() >= this.#deadline;
    if (spent) this.#end = 'cut';
    return spent;
  }
}

/** As it stands in a JSON line, and as an expression that means nothing but itself. */
function literally(term: string): string {
  return JSON.stringify(term).slice(1, -1).replace(/[\\^$.*+?()[\]{}|/]/g, '\\$&');
}
