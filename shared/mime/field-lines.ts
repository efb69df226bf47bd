/**
 * The lines of a header by the fields that they belong to, as FETCH of named fields takes them (RFC 9051 section 6.4.5.1): as they stand in the
 * message, whatever is wrong with them. `splitFields` reads their values. Pure.
 */

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
  for (let at = from, end = from; at < header.length; at = end) {
    const lineFeed = header.indexOf('\n', at);
    end = lineFeed === -1 ? header.length : lineFeed + 1;
    const line = header.slice(at, end);
    if (line === '\r\n' || line === '\n' || line === '\r') break;
    const last = fields.at(-1);
    if (line.startsWith(' ') || line.startsWith('\t')) {
      if (last !== undefined) last.end = end;
    } else if (fields.length === most) break;
    else fields.push({ name: line.slice(0, Math.max(0, line.indexOf(':'))).trim().toUpperCase(), start: at, end });
  }
  return fields;
}
