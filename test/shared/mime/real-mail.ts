/** The real messages that tests read, as they go over the wire: with CRLF line ends. */
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const folder = fileURLToPath(new URL('../../../../shared/mail/', import.meta.url));

/** File names of all messages. */
export const realMailNames: readonly string[] = readdirSync(folder).filter((name) => name.endsWith('.eml')).sort();

/** One message with CRLF line ends. */
export function readRealMail(name: string): Buffer {
  const text = readFileSync(folder + name, 'latin1');
  return Buffer.from(text.replace(/\r?\n/g, '\r\n'), 'latin1');
}
