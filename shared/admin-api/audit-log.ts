/**
 * What administrators did: a file of its own at each node, one JSON object a line, only ever appended to, by all workers. A line
 * is on the disk before the answer goes out. While a line can't be written nothing more is done (except reading): an act that
 * nobody would ever hear of is worse than one that waits for the disk.
 */
import { mkdir, open } from 'node:fs/promises';
import { dirname } from 'node:path';
import { Failure } from '../base/failure.ts';
import type { Logger } from '../log/log.ts';
import type { Caller } from './caller.ts';
import { nameOf } from './caller.ts';

export interface AuditEntry {
  readonly time: string;
  readonly node: string;
  /** The request's id in the ordinary log. */
  readonly reference: string;
  readonly who: string;
  readonly by: Caller['by'] | 'nothing';
  readonly from: string;
  readonly via?: string | undefined;
  readonly session?: string | undefined;
  /** The operation. */
  readonly what: string;
  /** Whom or what it was done to, and how. */
  readonly facts: Readonly<Record<string, unknown>>;
  /** `done`, or the kind of the refusal. */
  readonly result: string;
  readonly reason?: string | undefined;
}

export interface AuditLog {
  /** @throws Failure('storage-failure') when nothing can be written now */
  check(): Promise<void>;
  /** Resolves when the line is on the disk. Never rejects: a failure is told by `check` until a line gets through. */
  write(entry: AuditEntry): Promise<void>;
}

/** @param file undefined: a node without a disk; lines go to the ordinary log, marked `audit` */
export function openAuditLog(file: string | undefined, log: Logger): AuditLog {
  if (file === undefined) {
    return {
      check: async () => Promise.resolve(),
      write: async (entry) => Promise.resolve(log.warn({ audit: entry }, 'act of an administrator')),
    };
  }
  let failed = false;
  const append = async (line: string): Promise<void> => {
    const handle = await open(file, 'a', 0o600);
    try {
      await handle.appendFile(line); // one write for a line: appends of several processes don't mix
      await handle.datasync();
    } finally {
      await handle.close();
    }
  };
  return {
    check: async () => {
      try {
        await mkdir(dirname(file), { recursive: true, mode: 0o700 });
        await append('');
      } catch (cause) {
        throw new Failure('storage-failure', 'the audit log can\'t be written, and nothing is done without it', { cause });
      }
      if (failed) log.warn('the audit log can be written again');
      failed = false;
    },
    write: async (entry) => {
      try {
        await append(`${JSON.stringify(entry)}\n`);
      } catch (error) {
        failed = true;
        log.error({ err: error, audit: entry }, 'the audit log could not be written');
      }
    },
  };
}

/** An entry for something that a caller did or was refused. */
export function auditEntry(parts: {
  readonly node: string; readonly reference: string; readonly caller: Caller | undefined; readonly from: string;
  readonly what: string; readonly facts: Readonly<Record<string, unknown>>; readonly result: string; readonly reason?: string | undefined;
}): AuditEntry {
  const { caller, node, reference, what, facts, result, reason } = parts;
  return {
    time: new Date().toISOString(), node, reference,
    who: caller === undefined ? '(not signed in)' : nameOf(caller),
    by: caller?.by ?? 'nothing', from: caller?.from ?? parts.from, via: caller?.via, session: caller?.session,
    what, facts, result, reason,
  };
}
