/**
 * The lines of a header by the fields that they belong to, as FETCH of named fields takes them (RFC 9051 section 6.4.5.1): as they stand in the
 * message, whatever is wrong with them. `splitFields` reads their values. Pure.
 */

const SPACE = 0x20;
const TAB = 0x09;
const CR = 0x0d;
const LF = 0x0a;

/** One field of a header, with the lines that go on with it. Its text is [start, end). */
export interface FieldLines {
  /** What stands before the colon of the first line, in capitals; empty for a line that has none. */
  readonly name: string;
  readonly start: number;
  end: number;
}

/**
 * The fields of a header section (latin1), in order, up to the empty line. What goes on with no field belongs to none.
 * @param from where a field begins
 * @param most how many fields at most: strangers may send millions in one header
 */
export function fieldLines(header: string, from = 0, most = Infinity): FieldLines[] {
  const fields: FieldLines[] = [];
  let last: FieldLines | undefined;
  let colon = -1; // the next one: searched for once, or a header without any would take quadratic time
  for (let at = from, end = from; at < header.length; at = end) {
    const lineFeed = header.indexOf('\n', at);
    end = lineFeed === -1 ? header.length : lineFeed + 1;
    const first = header.charCodeAt(at);
    if (first === SPACE || first === TAB) {
      if (last !== undefined) last.end = end;
      continue;
    }
    if (fields.length === most || isEmptyLine(header, at, end)) break;
    if (colon < at) colon = indexOrEnd(header.indexOf(':', at), header);
    last = { name: colon < end ? header.slice(at, colon).trim().toUpperCase() : '', start: at, end };
    fields.push(last);
  }
  return fields;
}

function isEmptyLine(header: string, at: number, end: number): boolean {
  const first = header.charCodeAt(at);
  return first === LF || (first === CR && (end === at + 1 || (end === at + 2 && header.charCodeAt(at + 1) === LF)));
}

function indexOrEnd(index: number, text: string): number {
  return index === -1 ? text.length : index;
}
