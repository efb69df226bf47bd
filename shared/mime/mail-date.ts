/** Writes a time as header fields have it. Pure. */

/** A time in UTC (RFC 5322 section 3.3). @param timeMs milliseconds since 1970. */
export function mailDate(timeMs: number): string {
  return new Date(timeMs).toUTCString().replace('GMT', '+0000');
}
