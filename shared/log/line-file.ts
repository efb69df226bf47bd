/**
 * A file (or standard output) that several processes append lines to. Lines are gathered and written together, so that a hot
 * path pays no system call for each; grave ones at once, all at the process's end. A disk that takes nothing costs lines,
 * which are counted, and never more than that.
 */
import { closeSync, fstatSync, mkdirSync, openSync, statSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';
import { counter } from '../metrics/metrics.ts';

const lost = counter({ name: 'waybill_log_lines_lost', help: 'Log lines that could not be written or sent: the disk takes nothing, or the receiver is away for long.', labels: ['output'] });

const gatherMs = 5;
const gatherBytes = 64 * 1024;
/** Kept while the disk, or who reads our output, takes nothing. */
const mostHeldBytes = 4 * 1024 * 1024;
/** The name may lead to another file since rotation (by the supervisor): looked at so often. */
const lookEveryMs = 1000;

export function countLost(output: 'file' | 'remote' | 'system', lines: number): void {
  lost.add({ output }, lines);
}

const open = new Set<LineFile>();
process.on('exit', () => {
  for (const file of open) file.flush();
});

export class LineFile {
  /** Undefined: standard output. */
  readonly #path: string | undefined;
  #descriptor: number | undefined;
  #inode = 0;
  #lookedMs = 0;
  #lines: string[] = [];
  #bytes = 0;
  /** The rest of a line that was written in part. */
  #rest: Buffer | undefined;
  #timer: NodeJS.Timeout | undefined;

  constructor(path: string | undefined) {
    this.#path = path;
    open.add(this);
  }

  /** `line` ends with a newline. `now`: it must be on its way before anything else happens. */
  write(line: string, when: 'soon' | 'now'): void {
    if (this.#bytes + line.length > mostHeldBytes) {
      countLost('file', 1);
      return;
    }
    this.#lines.push(line);
    this.#bytes += line.length;
    if (when === 'now' || this.#bytes >= gatherBytes) this.flush();
    else this.#timer ??= setTimeout(() => this.flush(), gatherMs).unref();
  }

  /** Writes what was gathered. Never throws. */
  flush(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (this.#bytes === 0 && this.#rest === undefined) return;
    const gathered = Buffer.from(this.#lines.join(''), 'utf8');
    let left = this.#rest === undefined ? gathered : Buffer.concat([this.#rest, gathered]);
    try {
      const descriptor = this.#current();
      while (left.length > 0) left = left.subarray(writeSync(descriptor, left));
    } catch (error) {
      if (isBusy(error)) return this.#keep(left);
      countLost('file', this.#lines.length);
      this.#drop();
    }
    this.#rest = undefined;
    this.#lines = [];
    this.#bytes = 0;
  }

  close(): void {
    this.flush();
    this.#drop();
    open.delete(this);
  }

  /** Who reads our output is slow: it is tried again. */
  #keep(left: Buffer): void {
    this.#rest = Buffer.from(left);
    this.#lines = [];
    this.#bytes = left.length;
    this.#timer ??= setTimeout(() => this.flush(), gatherMs);
  }

  #drop(): void {
    if (this.#descriptor !== undefined && this.#path !== undefined) closeSync(this.#descriptor);
    this.#descriptor = undefined;
  }

  #current(): number {
    if (this.#path === undefined) return 1;
    const now = performance.now();
    if (this.#descriptor !== undefined && now - this.#lookedMs >= lookEveryMs) {
      this.#lookedMs = now;
      if (statSync(this.#path, { throwIfNoEntry: false })?.ino !== this.#inode) this.#drop();
    }
    if (this.#descriptor === undefined) {
      mkdirSync(dirname(this.#path), { recursive: true });
      this.#descriptor = openSync(this.#path, 'a', 0o640);
      this.#inode = fstatSync(this.#descriptor).ino;
      this.#lookedMs = now;
    }
    return this.#descriptor;
  }
}

function isBusy(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'EAGAIN';
}
