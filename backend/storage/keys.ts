/** The tables of a storage's index and the keys of their entries, chosen so that each question is one range or one look-up. */
import type { Environment, Table } from './environment.ts';

/** A mailbox keeps its rows in blocks of 2^6: see docs/decisions/storage.md, "Storage record layout". */
const blockShift = 6;
export const rowsInBlock = 2 ** blockShift;

/** The value of an entry whose key says all. */
export const noValue = Buffer.from('1');

export interface Tables {
  /** Counters, by name. */
  readonly counters: Table;
  /** [address] → AccountEntry. */
  readonly accounts: Table;
  /** [address] → nothing: accounts on their way to here. */
  readonly arriving: Table;
  /** [address] → LocalName: aliases of accounts and mailing groups that no directory has. */
  readonly localNames: Table;
  /** [account number, mailbox name] → mailbox id. */
  readonly names: Table;
  /** [account number, name] → how far a deleted or renamed mailbox of that name had counted. */
  readonly retiredNames: Table;
  /** [account number, name] → nothing. */
  readonly subscriptions: Table;
  /** [account number, mailbox id or 0 for the account as a whole, user, name] → annotation; [account number] → how often they were changed. */
  readonly annotations: Table;
  /** [mailbox id] → MailboxEntry. */
  readonly mailboxes: Table;
  /** [mailbox id] → LotsRecord: mailboxes that nobody sees, see lots.ts. */
  readonly lots: Table;
  /** [mailbox id, uid >> 6] → rows of a block, ascending by uid. */
  readonly rows: Table;
  /** [mailbox id, highest modseq in the block, block] → nothing: what changed lately, without reading all rows. */
  readonly recent: Table;
  /** [mailbox id, modseq] → uids that were expunged at that modseq. */
  readonly expunged: Table;
  /** [message id] → references and place of the bytes. */
  readonly messages: Table;
  /** [message id] → encoded MessageStructure. */
  readonly structures: Table;
  /** [message id] → its structure in IMAP's words (structure-texts.ts); missing where they were not kept. */
  readonly structureTexts: Table;
  /** [message id] → fields of its header (shared/mime/kept-fields.ts); missing where they were not kept yet. */
  readonly headerFields: Table;
  /** [account number, digest of a Message-ID] → thread id. */
  readonly threads: Table;
  /** [account number] → AccountAct[]: what administrators did to the account. */
  readonly acts: Table;
  /** [who, mailbox id] → the owner's address: which mailboxes grant something to whom. */
  readonly grants: Table;
  /** What processing records of its deliveries; see `DeliveryRecords`. */
  readonly deliveries: Table;
}

const tableNames: Readonly<Record<keyof Tables, string>> = {
  counters: 'counters', accounts: 'accounts', arriving: 'arriving', localNames: 'local-names', names: 'names', retiredNames: 'retired-names',
  subscriptions: 'subscriptions', annotations: 'annotations', mailboxes: 'mailboxes', lots: 'lots', rows: 'rows', recent: 'recent', expunged: 'expunged', messages: 'messages',
  structures: 'structures', structureTexts: 'structure-texts', headerFields: 'header-fields', threads: 'threads', acts: 'acts', grants: 'grants', deliveries: 'deliveries',
};

/** What the index of a storage is opened with: the tables below, and that of the packs. */
export const storageTables: readonly string[] = [...Object.values(tableNames), 'packs'];

/** Those of which nearly every action changes the same entries. */
export const gatheredTables: readonly string[] = [tableNames.counters, 'packs'];

export function openTables(environment: Environment): Tables {
  const opened = Object.entries(tableNames).map(([key, name]) => [key, environment.table(name)] as const);
  return Object.fromEntries(opened) as Record<keyof Tables, Table>;
}

/** The number of the block that holds a uid's row. */
export function blockOf(uid: number): number {
  return uid >>> blockShift;
}

/** A counter's value, 0 when it was never set. */
export function counterValue(tables: Tables, counter: string): number {
  return tables.counters.peek([counter])?.readDoubleLE(0) ?? 0;
}

/** Sets a counter. Only inside `write`. */
export function setCounter(tables: Tables, counter: string, number: number): void {
  const value = Buffer.allocUnsafe(8); // of Node's pool: LMDB's binding takes the address of its memory, for which V8 gives a small one of its own memory outside its heap
  value.writeDoubleLE(number);
  tables.counters.put([counter], value);
}

/** Adds one to a counter and answers its new value; the first is 1. Only inside `write`. */
export function nextNumber(tables: Tables, counter: string): number {
  const number = counterValue(tables, counter) + 1;
  setCounter(tables, counter, number);
  return number;
}
