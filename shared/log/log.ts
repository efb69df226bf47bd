/**
 * The log of one process: pino's JSON lines (the face of this room). Every line bears the node's name (`host`); a session's lines bear
 * its id, a message's that of its queue item. Secrets are never passed to a log call; what is hidden here is a second net, not the first.
 */
import { pino } from 'pino';
import type { Logger } from 'pino';
import { pinoLevel } from './levels.ts';
import type { LogLevel } from './levels.ts';
import { timeMember } from './line-time.ts';
import { LogService } from './log-service.ts';

export type { Logger } from 'pino';
export type { LogLevel } from './levels.ts';

/** The process's logger, whose lines a Log service distributes. */
export function logTo(service: Pick<LogService, 'level' | 'write'>, node: string): Logger {
  const destination = {
    [Symbol.for('pino.metadata')]: true,
    lastLevel: 0, // pino sets it before each line
    write(line: string): void {
      service.write(withoutSecrets(line), destination.lastLevel);
    },
  };
  return pino(
    {
      level: pinoLevel(service.level),
      base: { host: node, pid: process.pid }, // `node` in a line is the other one: a session's back-end
      timestamp: () => timeMember(),
    },
    destination,
  );
}

const secretNames = ['password', 'credentials'];
/** As they stand in a line: quotes within values are escaped, so no value looks like one. */
const secretMarks = secretNames.map((name) => `"${name}":`);

/** Looked for in the finished line, whatever depth and whoever's field it is: pino's own redaction copies the objects of every line first, which costs more than the rest of it. */
function withoutSecrets(line: string): string {
  if (!secretMarks.some((mark) => line.includes(mark))) return line;
  const hide = (name: string, value: unknown): unknown => (secretNames.includes(name) ? '[hidden]' : value);
  return `${JSON.stringify(JSON.parse(line), hide)}\n`;
}

/** A logger for programs that are no nodes: everything to standard output. */
export function createLog({ node, level }: { readonly node: string; readonly level: LogLevel }): Logger {
  return logTo(new LogService({ node, level, type: 'internal', services: {}, rules: [], file: undefined, outputs: {} }), node);
}
