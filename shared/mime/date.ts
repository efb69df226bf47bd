/** Reads the Date field as mail really has it (RFC 5322 sections 3.3 and 4.3, ctime and ISO 8601 forms). Pure; never throws. */
import { withoutComments } from './header.ts';

const months = ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec'];

/** Obsolete zone names, minutes east of UTC (RFC 5322 section 4.3); unknown letters count as +0000, as told there. */
const zones: ReadonlyMap<string, number> = new Map([
  ['EST', -300], ['EDT', -240], ['CST', -360], ['CDT', -300], ['MST', -420], ['MDT', -360], ['PST', -480], ['PDT', -420],
  ['CET', 60], ['CEST', 120], ['BST', 60], ['JST', 540],
]);

const usual = /(\d{1,2})[\s-]+([a-z]{3})[a-z]*[\s,.-]+(\d{2,4})[\s,]+(\d{1,2})\s*[:.]\s*(\d{2})(?:\s*[:.]\s*(\d{2}))?(?:\.\d+)?\s*([+-]\d{2}:?\d{2}|[a-z]+)?/i;
const ctime = /([a-z]{3})[a-z]*\s+(\d{1,2}),?\s+(\d{1,2}):(\d{2})(?::(\d{2}))?\s+(?:([+-]\d{4}|[a-z]+)\s+)?(\d{4})(?:\s+([+-]\d{4}))?/i;

/** Milliseconds since 1970, or undefined when no date can be made out. A missing zone counts as UTC. */
export function parseDate(value: string): number | undefined {
  // A date is short; more is rubbish and only costs time.
  const text = withoutComments(value.slice(0, 200)).trim();
  const iso = /^\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}(:\d{2}(\.\d+)?)?(Z|[+-]\d{2}:?\d{2})?$/i.exec(text);
  if (iso !== null) return finite(Date.parse(iso[3] === undefined ? `${text.replace(' ', 'T')}Z` : text.replace(' ', 'T')));
  const match = usual.exec(text);
  if (match !== null) {
    const [, day, month, year, hour, minute, second, zone] = match;
    return assemble({ day, month, year, hour, minute, second, zone });
  }
  const other = ctime.exec(text);
  if (other === null) return undefined;
  const [, month, day, hour, minute, second, zone, year, laterZone] = other;
  return assemble({ day, month, year, hour, minute, second, zone: zone ?? laterZone });
}

type Pieces = Readonly<Record<'day' | 'month' | 'year' | 'hour' | 'minute' | 'second' | 'zone', string | undefined>>;

function assemble(pieces: Pieces): number | undefined {
  const month = months.indexOf((pieces.month ?? '').toLowerCase());
  const day = Number(pieces.day);
  const hour = Number(pieces.hour);
  const minute = Number(pieces.minute);
  const second = Number(pieces.second ?? '0');
  if (month === -1 || day < 1 || day > 31 || hour > 23 || minute > 59 || second > 60) return undefined;
  const local = Date.UTC(fullYear(pieces.year ?? ''), month, day, hour, minute, second);
  return finite(local - zoneMinutes(pieces.zone ?? '') * 60_000);
}

/** RFC 5322 section 4.3: 00-49 are 20xx, 50-99 and three digits count from 1900. */
function fullYear(text: string): number {
  const year = Number(text);
  if (text.length > 3) return year;
  return text.length === 2 && year < 50 ? year + 2000 : year + 1900;
}

function zoneMinutes(zone: string): number {
  const numeric = /^([+-])(\d{2}):?(\d{2})$/.exec(zone);
  if (numeric === null) return zones.get(zone.toUpperCase()) ?? 0;
  const minutes = Number(numeric[2]) * 60 + Number(numeric[3]);
  return numeric[1] === '-' ? -minutes : minutes;
}

function finite(value: number): number | undefined {
  return Number.isFinite(value) ? value : undefined;
}
