/**
 * Records what a process does to the files below a directory, by strace: writes with their bytes, flushes, and names made
 * and removed, each with the place in the trace where it began and where it had ended.
 */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { callsIn } from '../harness/strace-calls.ts';
import type { TracedCall } from '../harness/strace-calls.ts';

interface Span {
  /** Numbers of lines of the trace. */
  readonly begin: number;
  readonly end: number;
  /** Of writes and flushes: the first name of the file. */
  readonly path: string;
}

export type DiskEvent =
  /** `synced`: through a descriptor with O_DSYNC, on stable storage when it has ended. */
  | Span & { readonly kind: 'write'; readonly offset: number; readonly bytes: Buffer; readonly synced: 'yes' | 'no' }
  /** Of a file's bytes, or of a directory's names. */
  | Span & { readonly kind: 'flush' }
  | Span & { readonly kind: 'make file' | 'make directory' | 'remove' }
  /** `path` becomes another name of `from`. */
  | Span & { readonly kind: 'link'; readonly from: string };

/** A line that the process wrote to its ledger; from `begin` on it is said. */
export interface SaidLine<T> {
  readonly begin: number;
  readonly line: T;
}

export interface DiskTrace<T> {
  readonly events: readonly DiskEvent[];
  readonly said: readonly SaidLine<T>[];
  readonly lines: number;
}

const calls = 'openat,write,pwrite64,writev,pwritev,pwritev2,lseek,fsync,fdatasync,sync_file_range,msync,mkdir,mkdirat,link,linkat,rmdir,unlink,unlinkat,rename,renameat,renameat2,truncate,ftruncate,fallocate';

/** Runs `node script <task>` to its end. @param files the directory watched, and the ledger's file. */
export function traceDisk<T>(script: string, task: unknown, files: { readonly directory: string; readonly ledger: string; readonly trace: string }): DiskTrace<T> {
  const parameters = ['-f', '--seccomp-bpf', '-qq', '-y', '-xx', '-s', '16777216', '-e', 'signal=none', '-e', `trace=${calls}`, '-o', files.trace];
  const run = spawnSync('strace', [...parameters, process.execPath, script, JSON.stringify(task)], { encoding: 'utf8' });
  assert.equal(run.status, 0, `the recorded process failed:\n${run.stderr}`);
  return readTrace<T>(readFileSync(files.trace, 'latin1'), files);
}

function readTrace<T>(text: string, files: { readonly directory: string; readonly ledger: string }): DiskTrace<T> {
  const reader = new TraceReader(files.directory);
  const said: SaidLine<T>[] = [];
  const lines = text.split('\n');
  for (const call of callsIn(lines)) {
    const event = reader.read(call);
    if (event?.kind === 'write' && event.path === files.ledger) {
      for (const line of event.bytes.toString().split('\n').slice(0, -1)) said.push({ begin: event.begin, line: JSON.parse(line) as T });
    }
  }
  const events = reader.events.filter(({ path }) => path.startsWith(files.directory) && !path.endsWith('/lock.mdb'));
  return { events, said, lines: lines.length };
}

class TraceReader {
  readonly events: DiskEvent[] = [];
  readonly #directory: string;
  /** Descriptor → where the next `write` goes, and whether it is O_DSYNC. */
  readonly #descriptors = new Map<string, { offset: number; readonly synced: 'yes' | 'no' }>();
  readonly #known = new Set<string>();
  /** Second name of a file → its first. */
  readonly #firstNames = new Map<string, string>();

  constructor(directory: string) {
    this.#directory = directory;
  }

  /** Throws for a call that changes the watched files in a way that is not understood here. */
  read(call: TracedCall): DiskEvent | undefined {
    const event = call.result.startsWith('-1') ? undefined : this.#eventOf(call);
    if (event !== undefined) this.events.push(event);
    return event;
  }

  #eventOf(call: TracedCall): DiskEvent | undefined {
    const { name, parameters, result, begin, end } = call;
    if (name === 'openat') return this.#opened(call);
    const descriptor = /^(\d+)<([^>]*)>/u.exec(parameters);
    const number = descriptor?.[1] ?? '';
    const path = this.#firstNameOf(unescape(descriptor?.[2] ?? '').toString());
    const strings = [...parameters.matchAll(/"((?:\\x[0-9a-f]{2})*)"/gu)].map((match) => unescape(match[1] ?? ''));
    const first = strings[0]?.toString() ?? '';
    switch (name) {
      case 'write': return this.#written(call, { number, path, bytes: strings, at: undefined });
      case 'writev': return this.#written(call, { number, path, bytes: strings, at: undefined });
      case 'pwrite64': case 'pwritev': return this.#written(call, { number, path, bytes: strings, at: Number(/, (\d+)$/u.exec(parameters)?.[1]) });
      case 'lseek': this.#descriptorOf(number).offset = Number(result); return undefined;
      case 'fsync': case 'fdatasync': return { kind: 'flush', begin, end, path };
      case 'mkdir': return { kind: 'make directory', begin, end, path: first };
      case 'unlink': case 'rmdir': return { kind: 'remove', begin, end, path: first };
      case 'unlinkat': return { kind: 'remove', begin, end, path: resolve(path, first) };
      case 'link': return this.#linked(call, first, strings[1]?.toString() ?? '');
      default:
        assert.ok(path.endsWith('/lock.mdb') || ![path, ...strings.map(String)].some((one) => one.startsWith(this.#directory)), `${name} is not understood`);
        return undefined;
    }
  }

  #linked({ begin, end }: TracedCall, from: string, path: string): DiskEvent {
    const first = this.#firstNameOf(from);
    this.#firstNames.set(path, first);
    this.#known.add(path);
    return { kind: 'link', begin, end, from: first, path };
  }

  #firstNameOf(path: string): string {
    return this.#firstNames.get(path) ?? path;
  }

  #opened({ parameters, result, begin, end }: TracedCall): DiskEvent | undefined {
    const [, number = '', hex = ''] = /^(\d+)<([^>]*)>/u.exec(result) ?? [];
    const path = unescape(hex).toString();
    this.#descriptors.set(number, { offset: 0, synced: parameters.includes('O_DSYNC') ? 'yes' : 'no' });
    if (!parameters.includes('O_CREAT') || this.#known.has(path)) return undefined;
    this.#known.add(path);
    return { kind: 'make file', begin, end, path };
  }

  #written(call: TracedCall, { number, path, bytes, at }: { readonly number: string; readonly path: string; readonly bytes: readonly Buffer[]; readonly at: number | undefined }): DiskEvent {
    const descriptor = this.#descriptorOf(number);
    const written = Buffer.concat(bytes).subarray(0, Number(call.result));
    const offset = at ?? descriptor.offset;
    assert.ok(Number.isInteger(offset) && written.length === Number(call.result), `${call.name} of ${path} is not understood`);
    if (at === undefined) descriptor.offset += written.length;
    return { kind: 'write', begin: call.begin, end: call.end, path, offset, bytes: written, synced: descriptor.synced };
  }

  #descriptorOf(number: string): { offset: number; readonly synced: 'yes' | 'no' } {
    const known = this.#descriptors.get(number) ?? { offset: 0, synced: 'no' };
    this.#descriptors.set(number, known);
    return known;
  }
}

function unescape(hex: string): Buffer {
  return Buffer.from(hex.replaceAll('\\x', ''), 'hex');
}
