/** What mailboxes and messages that are gone have left in the index. */
import type { Finding } from '../check/findings.ts';
import { getMailbox } from '../entries.ts';
import { keysUnder } from '../environment.ts';
import { allRows } from '../mailbox-tree.ts';
import type { Volume } from '../volume.ts';
import type { Mended } from './mended.ts';

/** Messages that are asked for their owner. */
const mostAsked = 50;

/** Whose the messages of a mailbox are, where all that are asked say the same. */
export async function ownerOfRows({ environment, tables }: Volume, mailbox: number, ask: (messageId: number) => Promise<string | undefined>): Promise<string | undefined> {
  const rows = environment.read(() => allRows(tables, mailbox)).slice(0, mostAsked);
  const owners = new Set<string>();
  for (const { messageId } of rows) {
    const owner = await ask(messageId);
    if (owner !== undefined) owners.add(owner);
  }
  const [owner] = owners;
  return owners.size === 1 ? owner : undefined;
}

/** Entries without a mailbox or message, once nothing can be made of them: no row is among them. */
export async function removeLeftOver({ environment, tables }: Volume, findings: readonly Finding[]): Promise<readonly Mended[]> {
  const places = findings.flatMap(({ kind, at }) => (kind === 'left-over' && at !== undefined ? [at] : []));
  if (places.length === 0) return [];
  return environment.write(() => places.flatMap(({ mailbox, message }): Mended[] => {
    if (mailbox !== undefined && getMailbox(tables, mailbox) === undefined && tables.rows.range({ ...keysUnder([mailbox]), limit: 1 }).length === 0) {
      const keys = [tables.recent, tables.expunged].flatMap((table) => table.range(keysUnder([mailbox])).map(({ key }) => ({ table, key })));
      for (const { table, key } of keys) table.remove(key);
      return keys.length === 0 ? [] : [{ text: `what was left of mailbox ${String(mailbox)} is removed` }];
    }
    if (message === undefined || tables.messages.get([message]) !== undefined || tables.structures.get([message]) === undefined || isNamed(tables, message)) return []; // of a message whose bytes are lost it tells what was lost
    tables.structures.remove([message]);
    return [{ text: `what was left of message ${String(message)} is removed` }];
  }));
}

/** Whether a mailbox has the message. Inside `read` or `write`. */
export function isNamed(tables: Volume['tables'], message: number): boolean {
  return tables.mailboxes.range(keysUnder([])).some(({ key: [id] }) => allRows(tables, Number(id)).some(({ messageId }) => messageId === message));
}
