/** Puts messages of an account into threads (THREADID, RFC 8474) by Message-ID and References. */
import { hash } from 'node:crypto';
import type { MessageStructure } from '../../shared/mime/structure.ts';
import type { Tables } from './keys.ts';

/** Of a long list of references only the newest count. */
const referencesUsed = 20;

/** The names under which a message is known to its thread: its own first, then what it refers to, newest first. */
export function threadKeys(structure: MessageStructure): string[] {
  const own = structure.envelope.messageId;
  const references = structure.references.slice(-referencesUsed).reverse();
  const ids = [...(own === undefined ? [] : [own]), ...references].map((id) => id.trim()).filter((id) => id !== '');
  return [...new Set(ids)].map((id) => hash('sha256', Buffer.from(id, 'latin1'), 'base64url').slice(0, 22));
}

/** The thread that knows one of the keys, else a new one that bears the message's id; learns the other keys. Only inside `write`. */
export function threadOf(tables: Tables, account: number, message: { readonly keys: readonly string[]; readonly messageId: number }): number {
  const known = message.keys.map((key) => tables.threads.get([account, key])?.readDoubleLE(0));
  const thread = known.find((id) => id !== undefined) ?? message.messageId;
  const value = Buffer.allocUnsafe(8); // as in setCounter
  value.writeDoubleLE(thread);
  for (const [index, key] of message.keys.entries()) {
    if (known[index] === undefined) tables.threads.insert([account, key], value);
  }
  return thread;
}
