/**
 * The log of one process: pino JSON lines on standard output or in a file. Every line bears the node's name; a session's
 * lines bear its id. Secrets are never passed to a log call; the redaction here is a second net, not the first.
 */
import { pino } from 'pino';
import type { Logger } from 'pino';

export type { Logger } from 'pino';

export type LogLevel = 'error' | 'warn' | 'info' | 'debug' | 'silent';

export interface LogOptions {
  readonly node: string;
  readonly level: LogLevel;
  /** A file to append to; standard output when absent. */
  readonly file?: string | undefined;
}

/** Makes the process's logger. Lines are written synchronously, so that none is lost when the process ends. */
export function createLog(options: LogOptions): Logger {
  const destination = pino.destination({ dest: options.file ?? 1, sync: true, mkdir: true });
  return pino(
    {
      level: options.level,
      base: { node: options.node, pid: process.pid },
      timestamp: pino.stdTimeFunctions.isoTime,
      redact: { paths: ['password', '*.password', 'credentials', '*.credentials'], censor: '[hidden]' },
    },
    destination,
  );
}
