/** Where a log line goes: by the rules of the Log service (the manual's section 3.2.6), in the order of their priorities. Pure. */
import { levelNumber } from './levels.ts';
import type { LogLevel } from './levels.ts';

export interface LogRule {
  /** The lowest number is asked first; equal ones in the order in which they stand. */
  readonly priority: number;
  /** Services whose lines are meant; all when empty. Lines of no service (the supervisor's, the directory's) belong to `node`. */
  readonly services: readonly string[];
  /** Nodes whose lines are meant; all when empty. */
  readonly hosts: readonly string[];
  /** The least grave lines that are meant. */
  readonly level: LogLevel;
  readonly file: string;
  /** Whether further rules are asked for a line that this one has written. */
  readonly fallThrough: boolean;
}

export interface LineFacts {
  readonly level: number;
  readonly service: string;
  readonly host: string;
}

/** What lines are called that no service has written. */
export const noService = 'node';

/** The files that take the line; none when no rule is meant. */
export function filesFor(rules: readonly LogRule[], line: LineFacts): readonly string[] {
  const files: string[] = [];
  for (const rule of rules.toSorted((one, other) => one.priority - other.priority)) {
    if (!isMeant(rule, line)) continue;
    if (!files.includes(rule.file)) files.push(rule.file);
    if (!rule.fallThrough) break;
  }
  return files;
}

function isMeant({ services, hosts, level }: LogRule, line: LineFacts): boolean {
  return line.level >= levelNumber(level) && (services.length === 0 || services.includes(line.service)) && (hosts.length === 0 || hosts.includes(line.host));
}
