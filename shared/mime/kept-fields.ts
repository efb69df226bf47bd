/**
 * Header fields of a message in a form that is kept beside the index, so that nobody has to read the message for them: the fields that mail
 * programs ask for, byte by byte, and the names of all others, so that it is known which are not there at all. Pure.
 *
 * The form, latin1: version · how many names were on the list · number of fields · bytes of the other names (16 bits) · of each field, in the
 * message's order, its place in the list and its bytes (16 bits) · the other names, in capitals, each between line feeds · the fields.
 */
import { fieldLines } from './field-lines.ts';
import { splitFields } from './header.ts';

/**
 * What is kept: what mail programs show in lists, sort, thread and filter by. The place of a name stands in what is stored: new ones only at the
 * end. Left out is what is long and rarely asked for (Received, signatures, what filters have noted).
 */
const keptNames: readonly string[] = [
  'DATE', 'SUBJECT', 'FROM', 'TO', 'CC', 'BCC', 'REPLY-TO', 'SENDER', 'MESSAGE-ID', 'IN-REPLY-TO', 'REFERENCES', 'CONTENT-TYPE', 'MIME-VERSION', 'CONTENT-TRANSFER-ENCODING',
  'LIST-ID', 'LIST-POST', 'LIST-UNSUBSCRIBE', 'MAILING-LIST', 'X-PRIORITY', 'PRIORITY', 'IMPORTANCE', 'NEWSGROUPS', 'RETURN-PATH', 'DELIVERED-TO', 'X-ORIGINAL-TO', 'DISPOSITION-NOTIFICATION-TO',
  'MAIL-FOLLOWUP-TO', 'MAIL-REPLY-TO', 'AUTO-SUBMITTED', 'PRECEDENCE', 'X-SPAM-FLAG', 'X-LABEL', 'X-DRAFT-INFO', 'USER-AGENT', 'X-MAILER', 'ORGANIZATION', 'LINES',
];
const places: ReadonlyMap<string, number> = new Map(keptNames.map((name, place) => [name, place]));

const version = 1;
/** Stands for itself: of this header nothing is kept. */
const nothingKept = Buffer.from([0]);

/** Of a larger header, and of more bytes of fields and names in it, nothing is kept: lists of references grow long, but not that long. */
export const mostHeaderBytes = 64 * 1024;
const mostKeptBytes = 8 * 1024;
const mostFields = 1000;
const mostKept = 255;
const fixedBytes = 5;
const entryBytes = 3;

/** The form of a header section, with or without its empty line. It says so where nothing can be kept. */
export function keepFields(section: Buffer): Buffer {
  return section.length > mostHeaderBytes ? nothingKept : keepFieldsOf(section.toString('latin1'));
}

/** The same of a section that is a string (latin1) already. */
export function keepFieldsOf(header: string): Buffer {
  if (header.length > mostHeaderBytes) return nothingKept;
  const kept: KeptField[] = [];
  const others = new Set<string>();
  const fields = fieldLines(header);
  let textBytes = 0;
  for (const { name, start, end } of fields) {
    const place = places.get(name);
    // What FETCH and SEARCH do not take for the same field: a colon in a line that goes on, letters that have two capitals, white space that is none to RFC 5322.
    if (name === '' && header.slice(start, end).includes(':')) return nothingKept;
    if (place === undefined) others.add(name);
    else if (!standsAt(header, start, name)) return nothingKept;
    else {
      kept.push({ place, start, end });
      textBytes += end - start;
    }
  }
  const names = others.size === 0 ? '' : `\n${[...others].join('\n')}\n`;
  if (fields.length > mostFields || kept.length > mostKept || names.length + textBytes > mostKeptBytes || /[^\x00-\x7f]/.test(names)) return nothingKept;
  return encodeKept(header, kept, names);
}

/** A field whose bytes are kept: where they stand in the header. */
interface KeptField {
  readonly place: number;
  readonly start: number;
  readonly end: number;
}

function encodeKept(header: string, kept: readonly KeptField[], names: string): Buffer {
  let lead = String.fromCharCode(version, keptNames.length, kept.length, names.length & 0xff, names.length >>> 8);
  let texts = '';
  for (const { place, start, end } of kept) {
    lead += String.fromCharCode(place, (end - start) & 0xff, (end - start) >>> 8);
    texts += header.slice(start, end);
  }
  return Buffer.from(lead + names + texts, 'latin1');
}

/** Whether this name (in capitals) stands there, in whatever letters. Of capitals on the list each is one of ASCII. */
function standsAt(header: string, start: number, name: string): boolean {
  for (let at = 0; at < name.length; at += 1) {
    const written = header.charCodeAt(start + at);
    const capital = written >= 0x61 && written <= 0x7a ? written - 0x20 : written;
    if (capital !== name.charCodeAt(at)) return false;
  }
  return true;
}

/** Some fields by name. */
export interface FieldChoice {
  /** By their places in the list: 1 for those that are wanted. */
  readonly wanted: Uint8Array;
  /** All names. */
  readonly names: readonly string[];
  /** The last place that is wanted, -1 when none is. */
  readonly last: number;
  readonly unlisted: readonly string[];
}

/** @param names in capitals */
export function chooseFields(names: readonly string[]): FieldChoice {
  const wanted = new Uint8Array(256);
  let last = -1;
  for (const name of names) {
    const place = places.get(name);
    if (place === undefined) continue;
    wanted[place] = 1;
    last = Math.max(last, place);
  }
  return { wanted, names, last, unlisted: names.filter((name) => !places.has(name)) };
}

/**
 * The lines of these fields in the message's order; undefined when only the message can tell.
 * @param kept as `keepFields` made it, latin1
 */
export function takeFields(kept: string, choice: FieldChoice): string | undefined {
  if (!knows(kept, choice)) return undefined;
  const entriesEnd = fixedBytes + entryBytes * kept.charCodeAt(2);
  let text = '';
  let at = entriesEnd + kept.charCodeAt(3) + (kept.charCodeAt(4) << 8);
  let from = at;
  for (let entry = fixedBytes; entry < entriesEnd; entry += entryBytes) {
    const end = at + kept.charCodeAt(entry + 1) + (kept.charCodeAt(entry + 2) << 8);
    if (choice.wanted[kept.charCodeAt(entry)] === 0) {
      if (at > from) text += kept.slice(from, at);
      from = end;
    }
    at = end;
  }
  return at > from ? text + kept.slice(from, at) : text;
}

/** The raw values of these fields, as `splitFields` has them; undefined when only the message can tell. */
export function fieldValues(kept: string, choice: FieldChoice): string[] | undefined {
  const lines = takeFields(kept, choice);
  return lines === undefined ? undefined : splitFields(lines).map(({ value }) => value);
}

/** Whether it is as long as it says. */
export function isWhole(kept: string): boolean {
  if (kept.charCodeAt(0) !== version) return kept.length === nothingKept.length && kept.charCodeAt(0) === nothingKept[0];
  const entriesEnd = fixedBytes + entryBytes * kept.charCodeAt(2);
  let end = entriesEnd + kept.charCodeAt(3) + (kept.charCodeAt(4) << 8);
  for (let entry = fixedBytes; entry < entriesEnd; entry += entryBytes) end += kept.charCodeAt(entry + 1) + (kept.charCodeAt(entry + 2) << 8);
  return end === kept.length;
}

/** Whether all that the message has of these fields is kept. */
function knows(kept: string, { last, names, unlisted }: FieldChoice): boolean {
  if (kept.charCodeAt(0) !== version) return false;
  const asOthers = last < kept.charCodeAt(1) ? unlisted : names; // the list was shorter once
  if (asOthers.length === 0) return true;
  const start = fixedBytes + entryBytes * kept.charCodeAt(2);
  const others = kept.slice(start, start + kept.charCodeAt(3) + (kept.charCodeAt(4) << 8));
  return asOthers.every((name) => !others.includes(`\n${name}\n`));
}
