/** What SEARCH reads out of a message beside its text. */
import { parseDayMs } from '../../shared/imap/dates.ts';
import type { MessageHeader } from '../../shared/mime/part-header.ts';

/** The day of the Date field as it stands there, whatever its zone (RFC 9051 section 6.4.4, SENTON), as midnight UTC. */
export function sentDayMs({ envelope, sentAtMs }: MessageHeader): number | undefined {
  const match = /(\d{1,2})\s+([A-Za-z]{3})\w*\s+(\d{4})/.exec(envelope.date ?? '');
  const dayMs = match === null ? undefined : parseDayMs(`${match[1] ?? ''}-${match[2] ?? ''}-${match[3] ?? ''}`);
  return dayMs ?? sentAtMs;
}
