/** What a directory entry lets its mailbox hold, from the values of its attributes (pure). */
import type { MailboxLimits } from './user-maps.ts';

const units: Readonly<Record<string, number>> = { '': 1, k: 2 ** 10, m: 2 ** 20, g: 2 ** 30, t: 2 ** 40 };
const largest = 2 ** 50;

/**
 * Bytes may bear a unit (`500M`, `2 GB`); 0 is no limit. A value that is no number says nothing: other programs write other
 * things there, and mail is not refused for that.
 */
export function limitsIn(values: { readonly bytes: string | undefined; readonly messages: string | undefined }): MailboxLimits {
  const bytes = numberIn(values.bytes, /^(\d{1,15})\s*([kmgt]?)(?:i?b)?$/iu);
  const messages = numberIn(values.messages, /^(\d{1,15})$/u);
  return { ...(bytes === undefined ? {} : { bytes }), ...(messages === undefined ? {} : { messages }) };
}

function numberIn(value: string | undefined, pattern: RegExp): number | undefined {
  const match = pattern.exec(value?.trim() ?? '');
  if (match === null) return undefined;
  return Math.min(largest, Number(match[1]) * (units[(match[2] ?? '').toLowerCase()] ?? 1));
}
