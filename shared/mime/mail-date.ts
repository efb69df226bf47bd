/** Writes a time as header fields have it. Pure. */

/** A time in the process's time zone, which is the configured one (RFC 5322 section 3.3). @param timeMs milliseconds since 1970. */
export function mailDate(timeMs: number): string {
  const aheadMinutes = -new Date(timeMs).getTimezoneOffset();
  const [hours, minutes] = [Math.trunc(Math.abs(aheadMinutes) / 60), Math.abs(aheadMinutes) % 60].map((part) => String(part).padStart(2, '0'));
  return new Date(timeMs + aheadMinutes * 60_000).toUTCString().replace('GMT', `${aheadMinutes < 0 ? '-' : '+'}${hours ?? ''}${minutes ?? ''}`);
}
