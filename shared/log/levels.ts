/** The manual's classes of log lines (section 3.2.6, cumulative) and pino's numbers for them, which stand in the lines. */

export const logLevels = ['critical', 'error', 'warning', 'informational', 'protocol', 'silent'] as const;

/** The least grave lines that are written; `silent`: none. */
export type LogLevel = (typeof logLevels)[number];

const pinoNames = { critical: 'fatal', error: 'error', warning: 'warn', informational: 'info', protocol: 'debug', silent: 'silent' } as const;
const numbers = { critical: 60, error: 50, warning: 40, informational: 30, protocol: 20, silent: Infinity } as const;

export function pinoLevel(level: LogLevel): (typeof pinoNames)[LogLevel] {
  return pinoNames[level];
}

/** As `level` stands in a line; infinite for `silent`. */
export function levelNumber(level: LogLevel): number {
  return numbers[level];
}

/** The class of a line. */
export function levelName(level: number): Exclude<LogLevel, 'silent'> {
  if (level >= numbers.critical) return 'critical';
  if (level >= numbers.error) return 'error';
  if (level >= numbers.warning) return 'warning';
  return level >= numbers.informational ? 'informational' : 'protocol';
}
