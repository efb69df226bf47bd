/** Compares values and evaluates search filters (RFC 4511 section 4.5.1.7), with its three values: true, false, undefined (pure). */
import type { Filter } from '../ldap/filter.ts';
import { NameSyntaxError, normaliseDn, parseDn } from './dn.ts';
import type { DirectoryEntry } from './entry.ts';
import { attributeKey, attributeType, normaliseValue } from './schema.ts';

/** Equal for values that the attribute's equality rule takes for the same. */
export function valueKey(attribute: string, value: Buffer): string {
  const matching = attributeType(attribute)?.matching;
  if (matching === 'octets') return value.toString('latin1');
  if (matching === 'dn') return dnKey(value.toString('utf8'));
  return normaliseValue(attribute, value.toString('utf8'));
}

/** Whether an entry matches a filter; where the truth is undefined it doesn't. */
export function matchesFilter(entry: DirectoryEntry, filter: Filter): boolean {
  return evaluate(entry, filter) === true;
}

function evaluate(entry: DirectoryEntry, filter: Filter): boolean | undefined {
  switch (filter.kind) {
    case 'and': {
      const results = filter.filters.map((inner) => evaluate(entry, inner));
      if (results.includes(false)) return false;
      return results.includes(undefined) ? undefined : true;
    }
    case 'or': {
      const results = filter.filters.map((inner) => evaluate(entry, inner));
      if (results.includes(true)) return true;
      return results.includes(undefined) ? undefined : false;
    }
    case 'not': {
      const result = evaluate(entry, filter.filter);
      return result === undefined ? undefined : !result;
    }
    default:
      return evaluateItem(entry, filter);
  }
}

type Item = Exclude<Filter, { kind: 'and' | 'or' | 'not' }>;

function evaluateItem(entry: DirectoryEntry, item: Item): boolean | undefined {
  if (item.kind === 'extensible') return evaluateExtensible(entry, item);
  const { attribute } = item;
  const values = entry.attributes.get(attributeKey(attribute))?.values;
  if (values === undefined) return attributeType(attribute) === undefined ? undefined : false;
  switch (item.kind) {
    case 'present':
      return true;
    case 'equal':
    case 'approximate': {
      const wanted = valueKey(attribute, Buffer.from(item.value));
      return values.some((value) => valueKey(attribute, value) === wanted);
    }
    case 'substrings':
      return matchesSubstrings(attribute, values, item);
    default:
      return matchesOrder(attribute, values, item);
  }
}

function matchesSubstrings(attribute: string, values: readonly Buffer[], item: Extract<Item, { kind: 'substrings' }>): boolean | undefined {
  if (['octets', 'dn', 'uuid', 'time'].includes(attributeType(attribute)?.matching ?? '')) return undefined;
  // The asserted pieces keep their outer spaces: "al *" must not match "alice".
  const fold = (piece: string): string => `${/^\s/.test(piece) ? ' ' : ''}${normaliseValue(attribute, piece)}${/\s$/.test(piece) ? ' ' : ''}`;
  const [initial, final] = [fold(item.initial ?? ''), fold(item.final ?? '')];
  const middle = item.any.map(fold);
  return values.some((value) => {
    const text = valueKey(attribute, value);
    if (text.length < initial.length + final.length || !text.startsWith(initial) || !text.endsWith(final)) return false;
    let position = initial.length;
    for (const piece of middle) {
      const found = text.indexOf(piece, position);
      if (found < 0) return false;
      position = found + piece.length;
    }
    return position <= text.length - final.length;
  });
}

/** Only times and numbers have an order; for the rest slapd's schema has no ordering rule either. */
function matchesOrder(attribute: string, values: readonly Buffer[], item: { kind: 'greaterOrEqual' | 'lessOrEqual'; value: string }): boolean | undefined {
  if (attributeType(attribute)?.matching !== 'time') return undefined;
  const wanted = normaliseValue(attribute, item.value);
  return values.some((value) => {
    const text = valueKey(attribute, value);
    return item.kind === 'greaterOrEqual' ? text >= wanted : text <= wanted;
  });
}

const extensibleRules = new Set([
  undefined, 'caseignorematch', '2.5.13.2', 'caseignoreia5match', '1.3.6.1.4.1.1466.109.114.2', 'distinguishednamematch', '2.5.13.1',
]);

/** The named rule must be one that does what the attribute's own does; case-exact comparison is added. */
function evaluateExtensible(entry: DirectoryEntry, item: Extract<Item, { kind: 'extensible' }>): boolean | undefined {
  if (item.attribute === undefined || item.dnAttributes === 'yes') return undefined;
  const rule = item.rule?.toLowerCase();
  const values = entry.attributes.get(attributeKey(item.attribute))?.values ?? [];
  if (rule === 'caseexactmatch' || rule === '2.5.13.5' || rule === 'caseexactia5match' || rule === '1.3.6.1.4.1.1466.109.114.1') {
    return values.some((value) => value.toString('utf8') === item.value);
  }
  if (!extensibleRules.has(rule)) return undefined;
  return evaluateItem(entry, { kind: 'equal', attribute: item.attribute, value: item.value });
}

function dnKey(text: string): string {
  try {
    return normaliseDn(parseDn(text));
  } catch (error) {
    if (error instanceof NameSyntaxError) return `not a name: ${text}`;
    throw error;
  }
}
