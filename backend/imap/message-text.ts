/** What SEARCH reads out of a message beside its text. */
import { parseDayMs } from '../../shared/imap/dates.ts';
import type { MessageHead } from '../../shared/mime/structure.ts';

/** The day of the Date field as it stands there, whatever its zone (RFC 9051 section 6.4.4, SENTON), as midnight UTC. */
export function sentDayMs(head: MessageHead): number | undefined {
  const match = /(\d{1,2})\s+([A-Za-z]{3})\w*\s+(\d{4})/.exec(head.envelope.date ?? '');
  const dayMs = match === null ? undefined : parseDayMs(`${match[1] ?? ''}-${match[2] ?? ''}-${match[3] ?? ''}`);
  return dayMs ?? head.sentAtMs;
}
