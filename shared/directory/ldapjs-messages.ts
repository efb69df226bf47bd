/** The parts of ldapjs's server messages that we use, which its published types leave out, and the way from them to our own values. */
import type { Duplex } from 'node:stream';
import type { Filter } from '../ldap/filter.ts';
import type { Modification } from './changes.ts';
import type { StoredAttribute } from './entry.ts';
import { Refusal } from './result.ts';

/** The socket of a connection, with what ldapjs hangs on it. */
export interface LdapSocket extends Duplex {
  readonly remoteAddress: string | undefined;
  readonly parser: NodeJS.EventEmitter & { write(data: Buffer): boolean };
  setTimeout(ms: number): void;
  setNoDelay(): void;
}

export interface Message {
  readonly connection: LdapSocket;
  readonly controls: readonly { readonly type: string; readonly criticality: boolean }[];
}

/** ldapjs's names are only used as text: it compares them with letter case. */
interface Name { toString(): string }
interface WireAttribute { readonly type: string; readonly buffers: readonly Buffer[] }

/** `credentials` is null where their length goes beyond the message. */
export interface BindMessage extends Message { readonly name: Name; readonly credentials: string | null }
export interface AddMessage extends Message { readonly entry: Name; readonly attributes: readonly WireAttribute[] }
export interface DeleteMessage extends Message { readonly entry: Name }
export interface CompareMessage extends Message { readonly entry: Name; readonly attribute: string; readonly value: string }
export interface ModifyMessage extends Message {
  readonly object: Name;
  readonly changes: readonly { readonly operation: 'add' | 'delete' | 'replace'; readonly modification: WireAttribute }[];
}
export interface RenameMessage extends Message {
  readonly entry: Name; readonly newRdn: Name; readonly deleteOldRdn: boolean; readonly newSuperior: Name | undefined;
}
export interface SearchMessage extends Message {
  readonly baseObject: Name; readonly scope: number; readonly filter: WireFilter;
  readonly sizeLimit: number; readonly typesOnly: boolean; readonly attributes: readonly string[];
}
export interface PasswordModifyMessage extends Message {
  readonly requestValue?: { readonly userIdentity?: string; readonly oldPassword?: string; readonly newPassword?: string } | undefined;
}

/** What a handler answers with. */
export interface Response {
  status: number;
  matchedDN: string;
  diagnosticMessage: string;
  responseValue?: string;
  /** Writes the part after the result; replaced for a value that isn't text. */
  _writeResponse?: (ber: { writeBuffer(bytes: Buffer, tag: number): void }) => void;
  end(status: number): void;
}
export interface SearchResponse extends Response {
  controls: readonly { readonly type: string }[];
  createSearchEntry(entry: { objectName: Name; attributes: readonly unknown[] }): unknown;
  send(entry: unknown): void;
}

interface WireFilter {
  readonly type: string;
  readonly attribute: string | undefined;
  readonly value: string;
  readonly clauses: readonly WireFilter[];
  readonly filter: WireFilter;
  readonly initial: string | undefined;
  readonly any: readonly string[];
  readonly final: string | undefined;
  readonly matchingRule: string | undefined;
  readonly dnAttributes: boolean;
}

/** More parts than any honest search has. */
const mostFilterParts = 256;

/** @throws Refusal adminLimitExceeded for a filter of too many parts */
export function readFilter(filter: WireFilter): Filter {
  let parts = 0;
  const read = (wire: WireFilter): Filter => {
    parts += 1;
    if (parts > mostFilterParts) throw new Refusal('adminLimitExceeded', 'the filter has too many parts');
    const attribute = wire.attribute ?? '';
    switch (wire.type) {
      case 'AndFilter': return { kind: 'and', filters: wire.clauses.map(read) };
      case 'OrFilter': return { kind: 'or', filters: wire.clauses.map(read) };
      case 'NotFilter': return { kind: 'not', filter: read(wire.filter) };
      case 'PresenceFilter': return { kind: 'present', attribute };
      case 'EqualityFilter': return { kind: 'equal', attribute, value: wire.value };
      case 'ApproximateFilter': return { kind: 'approximate', attribute, value: wire.value };
      case 'GreaterThanEqualsFilter': return { kind: 'greaterOrEqual', attribute, value: wire.value };
      case 'LessThanEqualsFilter': return { kind: 'lessOrEqual', attribute, value: wire.value };
      case 'SubstringFilter': return { kind: 'substrings', attribute, initial: wire.initial, any: wire.any, final: wire.final };
      case 'ExtensibleFilter': {
        const dnAttributes = wire.dnAttributes ? 'yes' : 'no';
        return { kind: 'extensible', attribute: wire.attribute, rule: wire.matchingRule, dnAttributes, value: wire.value };
      }
      default: throw new Refusal('protocolError', 'unknown kind of filter');
    }
  };
  return read(filter);
}

export function readAttributes(attributes: readonly WireAttribute[]): StoredAttribute[] {
  const empty = attributes.find(({ buffers }) => buffers.length === 0);
  if (empty !== undefined) throw new Refusal('protocolError', `no values for attribute type ${empty.type}`);
  return attributes.map(({ type, buffers }) => ({ name: type, values: buffers }));
}

export function readModifications(message: ModifyMessage): Modification[] {
  return message.changes.map(({ operation, modification }) => ({ operation, attribute: modification.type, values: modification.buffers }));
}
