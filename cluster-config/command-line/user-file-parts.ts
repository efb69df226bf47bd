/** Cuts a file of users into parts that one request can take each. Pure. */
import type { UserFile } from '../user-files.ts';
import { UsageError } from './usage-error.ts';

/** @param longest in bytes of UTF-8. @throws UsageError for a single line or record that is longer */
export function partsOf({ format, text }: Pick<UserFile, 'format' | 'text'>, longest: number): readonly UserFile[] {
  const parts: UserFile[] = [];
  let lines: string[] = [];
  let bytes = 0;
  let firstLine = 1;
  const close = (): void => {
    if (lines.length > 0) parts.push({ format, text: lines.join(''), firstLine });
    firstLine += lines.length;
    lines = [];
    bytes = 0;
  };
  for (const unit of unitsOf(format, text)) {
    const more = unit.reduce((sum, line) => sum + Buffer.byteLength(line), 0);
    if (more > longest) throw new UsageError(`line ${String(firstLine + lines.length)}: more than ${String(longest)} bytes in one piece`);
    if (bytes + more > longest) close();
    for (const line of unit) lines.push(line);
    bytes += more;
  }
  close();
  return parts;
}

/** What belongs together: a line of CSV; of LDIF all lines up to an empty one. Lines keep their ends. */
function* unitsOf(format: UserFile['format'], text: string): Generator<readonly string[], void, void> {
  let unit: string[] = [];
  for (const line of text.match(/[^\n]*\n|[^\n]+$/g) ?? []) {
    unit.push(line);
    if (format === 'ldif' && line.trim() !== '') continue;
    yield unit;
    unit = [];
  }
  if (unit.length > 0) yield unit;
}
