/** What mailboxes and messages that are gone have left in the index. */
import { counted } from '../../../shared/base/counted.ts';
import type { Finding } from '../check/findings.ts';
import { getMailbox } from '../entries.ts';
import type { MailboxEntry } from '../entries.ts';
import { keysUnder } from '../environment.ts';
import type { Key } from '../environment.ts';
import { noteGrants } from '../grants.ts';
import { allRows } from '../mailbox-rows.ts';
import type { Volume } from '../volume.ts';
import { accountsIn } from './mend-mailbox.ts';
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
    if (message === undefined || tables.messages.get([message]) !== undefined || [tables.structures, tables.structureTexts, tables.headerFields].every((table) => table.get([message]) === undefined) || isNamed(tables, message)) return []; // of a message whose bytes are lost it tells what was lost
    tables.structures.remove([message]);
    tables.structureTexts.remove([message]);
    tables.headerFields.remove([message]);
    return [{ text: `what was left of message ${String(message)} is removed` }];
  }));
}

/** Annotations of mailboxes or accounts that are not there. */
export async function dropDeadAnnotations({ environment, tables }: Volume): Promise<readonly Mended[]> {
  return environment.write(() => {
    const accounts = new Set(accountsIn(tables).map(({ number }) => number));
    const isDead = ([account, mailbox = 0]: Key): boolean => (mailbox === 0 ? !accounts.has(Number(account)) : getMailbox(tables, Number(mailbox))?.account !== account);
    const dead = tables.annotations.range(keysUnder([])).filter(({ key }) => isDead(key));
    for (const { key } of dead) tables.annotations.remove(key);
    return dead.length === 0 ? [] : [{ text: `${counted(dead.length, 'annotation')} of what is not there ${dead.length === 1 ? 'is' : 'are'} removed` }];
  });
}

/** Who is told of what mailboxes grant, from the rights of these. */
export async function mendGrants({ environment, tables }: Volume): Promise<readonly Mended[]> {
  return environment.write(() => {
    const owners = new Map(accountsIn(tables).map(({ number, address }) => [number, address]));
    for (const { key } of tables.grants.range(keysUnder([]))) tables.grants.remove(key);
    for (const { value } of tables.mailboxes.range(keysUnder([]))) {
      const entry = JSON.parse(value.toString()) as MailboxEntry;
      const owner = owners.get(entry.account);
      if (owner !== undefined) noteGrants(tables, entry, owner);
    }
    return [{ text: 'who is told of what mailboxes grant was written anew' }];
  });
}

/** Whether a mailbox has the message. Inside `read` or `write`. */
export function isNamed(tables: Volume['tables'], message: number): boolean {
  return tables.mailboxes.range(keysUnder([])).some(({ key: [id] }) => allRows(tables, Number(id)).some(({ messageId }) => messageId === message));
}
