/** LDIF content records (RFC 2849): text to entries and back (pure). */

/** One attribute with its values, as it was written. */
export interface LdifAttribute { readonly name: string; readonly values: readonly Buffer[] }

export interface LdifRecord { readonly dn: string; readonly attributes: readonly LdifAttribute[] }

/** The text is no LDIF; the message names the line. */
export class LdifError extends Error {
  override readonly name = 'LdifError';
}

interface Line { readonly number: number; readonly text: string }

/** Reads all records; attributes keep their order, values of one name are gathered. @param firstLine its number in a larger file. @throws LdifError */
export function parseLdif(text: string, firstLine = 1): LdifRecord[] {
  const records: LdifRecord[] = [];
  let lines: Line[] = [];
  const finish = (): void => {
    if (lines.length > 0) records.push(toRecord(lines));
    lines = [];
  };
  for (const line of unfold(text, firstLine)) {
    if (line.text === '') finish();
    else if (!(records.length === 0 && lines.length === 0 && /^version:\s*1\s*$/.test(line.text))) lines.push(line);
  }
  finish();
  return records;
}

/** Writes records, with a version line first; values that are not plain are base64. Lines are folded at 76 characters. */
export function formatLdif(records: readonly LdifRecord[]): string {
  return joinRecords(records.map(formatRecord));
}

/** One record without the empty line that ends it. */
export function formatRecord({ dn, attributes }: LdifRecord): string {
  return [
    formatLine('dn', Buffer.from(dn)), ...attributes.flatMap(({ name, values }) => values.map((value) => formatLine(name, value))), '',
  ].join('\n');
}

/** A whole file of formatted records. */
export function joinRecords(records: readonly string[]): string {
  return `version: 1\n\n${records.join('\n')}`;
}

/** Joins continued lines (they begin with a space) and drops comments. */
function unfold(text: string, firstLine: number): Line[] {
  const lines: { number: number; text: string; parts: string[] }[] = [];
  for (const [index, line] of text.split(/\r?\n/).entries()) {
    const last = lines.at(-1);
    if (line.startsWith(' ')) {
      if (last === undefined || last.text === '') throw new LdifError(`line ${String(index + firstLine)}: a continuation of nothing`);
      last.parts.push(line.slice(1));
    } else {
      lines.push({ number: index + firstLine, text: line, parts: [] });
    }
  }
  return lines
    .map(({ number, text: first, parts }) => ({ number, text: first + parts.join('') }))
    .filter((line) => !line.text.startsWith('#'));
}

function toRecord(lines: readonly Line[]): LdifRecord {
  const [first, ...rest] = lines.map(parseLine);
  if (first?.name.toLowerCase() !== 'dn') throw new LdifError(`line ${String(lines[0]?.number)}: a record begins with "dn:"`);
  const attributes = new Map<string, { name: string; values: Buffer[] }>();
  for (const { name, value, number } of rest) {
    if (['changetype', 'control'].includes(name.toLowerCase())) throw new LdifError(`line ${String(number)}: change records are not understood here`);
    const known = attributes.get(name.toLowerCase());
    if (known === undefined) attributes.set(name.toLowerCase(), { name, values: [value] });
    else known.values.push(value);
  }
  return { dn: first.value.toString('utf8'), attributes: [...attributes.values()] };
}

function parseLine(line: Line): { name: string; value: Buffer; number: number } {
  const { name, mark, value = '' } = /^(?<name>[A-Za-z0-9.][A-Za-z0-9.;-]*):(?<mark>[:<]?) *(?<value>.*)$/s.exec(line.text)?.groups ?? {};
  if (name === undefined) throw new LdifError(`line ${String(line.number)}: not of the form "name: value"`);
  if (mark === '<') throw new LdifError(`line ${String(line.number)}: values from a URL are not read`);
  if (mark === ':' && !/^[A-Za-z0-9+/]*={0,2} *$/.test(value)) throw new LdifError(`line ${String(line.number)}: not base64`);
  return { name, value: Buffer.from(value, mark === ':' ? 'base64' : 'utf8'), number: line.number };
}

/** SAFE-STRING of RFC 2849, printable only, and no space at the end, which editors like to remove. */
const safeValue = /^(?:[!-9;=-~](?:[ -~]*[!-~])?)?$/;

function formatLine(name: string, value: Buffer): string {
  const text = value.toString('latin1');
  const line = safeValue.test(text) ? `${name}: ${text}` : `${name}:: ${value.toString('base64')}`;
  return line.length <= 76 ? line : [line.slice(0, 76), ...(line.slice(76).match(/.{1,75}/g) ?? []).map((part) => ` ${part}`)].join('\n');
}
