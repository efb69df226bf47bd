/**
 * Searches and what answers them (RFC 4511 section 4.5), written and read without ldapjs (pure): every login asks for one entry, and
 * ldapjs takes names apart and puts them together again for it, at several times the price.
 */
import { element, readElement, readElements, textElement as text } from './ber.ts';
import type { Filter } from './filter.ts';
import type { Page } from './ldapjs-paging.ts';
import { message } from './result-message.ts';

/** One entry as the directory sent it. */
export interface Entry {
  readonly dn: string;
  /** Values by attribute name in lower case. */
  readonly attributes: ReadonlyMap<string, readonly Buffer[]>;
}

export interface SearchRequest {
  readonly base: string;
  readonly scope: 'base' | 'one' | 'sub';
  readonly filter: Filter;
  readonly attributes: readonly string[];
  /** 0: none. */
  readonly sizeLimit: number;
  readonly page?: Page | undefined;
}

const [enumerated, octetString, sequence] = [0x0a, 0x04, 0x30] as const;
const scopes = { base: 0, one: 1, sub: 2 } as const;
const never = Buffer.from([enumerated, 1, 0]);
const no = Buffer.from([0x01, 1, 0]);
const yes = Buffer.from([0x84, 1, 0xff]);
const filterTags = { and: 0xa0, or: 0xa1, not: 0xa2, equal: 0xa3, substrings: 0xa4, greaterOrEqual: 0xa5, lessOrEqual: 0xa6, present: 0x87, approximate: 0xa8, extensible: 0xa9 } as const;

/** A search without controls: of all attributes named, and their values; aliases are not followed. */
export function searchRequest(messageId: number, request: SearchRequest, timeLimitSeconds: number): Buffer {
  const operation = element(0x63, Buffer.concat([
    text(octetString, request.base), Buffer.from([enumerated, 1, scopes[request.scope]]), never, integer(request.sizeLimit), integer(timeLimitSeconds), no,
    filterElement(request.filter), element(sequence, Buffer.concat(request.attributes.map((name) => text(octetString, name)))),
  ]));
  return message(messageId, operation);
}

function integer(value: number): Buffer {
  const bytes = Buffer.from([0x02, 4, 0, 0, 0, 0]);
  bytes.writeInt32BE(value, 2);
  return bytes;
}

function filterElement(filter: Filter): Buffer {
  const tag = filterTags[filter.kind];
  switch (filter.kind) {
    case 'and':
    case 'or':
      return element(tag, Buffer.concat(filter.filters.map(filterElement)));
    case 'not':
      return element(tag, filterElement(filter.filter));
    case 'present':
      return text(tag, filter.attribute);
    case 'substrings': {
      const parts = [...optional(0x80, filter.initial), ...filter.any.map((part) => text(0x81, part)), ...optional(0x82, filter.final)];
      return element(tag, Buffer.concat([text(octetString, filter.attribute), element(sequence, Buffer.concat(parts))]));
    }
    case 'extensible': {
      const names = [...optional(0x81, filter.rule), ...optional(0x82, filter.attribute)];
      return element(tag, Buffer.concat([...names, text(0x83, filter.value), ...(filter.dnAttributes === 'yes' ? [yes] : [])]));
    }
    default:
      return element(tag, Buffer.concat([text(octetString, filter.attribute), text(octetString, filter.value)]));
  }
}

function optional(tag: number, value: string | undefined): readonly Buffer[] {
  return value === undefined ? [] : [text(tag, value)];
}

/** The tag of the operation in a whole message. */
export function operationOf(bytes: Buffer): number | undefined {
  const content = readElement(bytes, 0)?.content;
  const id = content === undefined ? undefined : readElement(content, 0);
  return id === undefined ? undefined : content?.[id.end];
}

/** Reads a message with a SearchResultEntry; undefined for what is none. The values are parts of the message. */
export function readEntry(bytes: Buffer): Entry | undefined {
  const [, operation] = readElements(readElement(bytes, 0)?.content ?? Buffer.alloc(0));
  if (operation === undefined) return undefined;
  const [name, list] = readElements(operation.content);
  if (name?.tag !== octetString || list?.tag !== sequence) return undefined;
  const attributes = new Map<string, readonly Buffer[]>();
  for (const attribute of readElements(list.content)) {
    const [type, values] = readElements(attribute.content);
    if (type?.tag !== octetString || values?.tag !== 0x31) return undefined;
    attributes.set(type.content.toString('utf8').toLowerCase(), readElements(values.content).map(({ content }) => content));
  }
  return { dn: name.content.toString('utf8'), attributes };
}
