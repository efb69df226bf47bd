/**
 * LDAP search filters as values (RFC 4511 section 4.5.1.7), independent of any LDAP package, and the parser of their text
 * form (RFC 4515). Filters are always built as objects: no text of a stranger is ever parsed as a filter.
 */
import { Failure } from '../base/failure.ts';

/** A filter whose assertion values are of type `V`: text in a filter ready to be sent, a template before that. */
export type FilterOf<V> =
  | { readonly kind: 'and' | 'or'; readonly filters: readonly FilterOf<V>[] }
  | { readonly kind: 'not'; readonly filter: FilterOf<V> }
  | { readonly kind: 'equal' | 'approximate'; readonly attribute: string; readonly value: V }
  | { readonly kind: 'greaterOrEqual' | 'lessOrEqual'; readonly attribute: string; readonly value: V }
  | { readonly kind: 'present'; readonly attribute: string }
  | {
      readonly kind: 'substrings'; readonly attribute: string;
      readonly initial: V | undefined; readonly any: readonly V[]; readonly final: V | undefined;
    }
  | {
      readonly kind: 'extensible'; readonly attribute: string | undefined; readonly rule: string | undefined;
      readonly dnAttributes: 'yes' | 'no'; readonly value: V;
    };

export type Filter = FilterOf<string>;

/** The same filter with every assertion value replaced; the structure can't change. */
export function mapFilterValues<A, B>(filter: FilterOf<A>, replace: (value: A) => B): FilterOf<B> {
  switch (filter.kind) {
    case 'and':
    case 'or':
      return { kind: filter.kind, filters: filter.filters.map((inner) => mapFilterValues(inner, replace)) };
    case 'not':
      return { kind: 'not', filter: mapFilterValues(filter.filter, replace) };
    case 'present':
      return filter;
    case 'substrings':
      return {
        ...filter,
        initial: filter.initial === undefined ? undefined : replace(filter.initial),
        any: filter.any.map(replace),
        final: filter.final === undefined ? undefined : replace(filter.final),
      };
    default:
      return { ...filter, value: replace(filter.value) };
  }
}

/**
 * Parses a filter's text form (RFC 4515 section 3). `readValue` turns the raw text of one assertion value, escapes still in
 * it, into a value.
 * @throws Failure('bad-input') that names the position (counted from 1).
 */
export function parseFilter<V>(text: string, readValue: (raw: string) => V): FilterOf<V> {
  const parser = new FilterParser(text, readValue);
  return parser.parseWhole();
}

const attributeDescription = /^(?:[A-Za-z][A-Za-z0-9-]*|\d+(?:\.\d+)*)(?:;[A-Za-z0-9-]+)*$/;
const matchingRule = /^(?:[A-Za-z][A-Za-z0-9-]*|\d+(?:\.\d+)*)$/;

class FilterParser<V> {
  readonly #text: string;
  readonly #readValue: (raw: string) => V;
  #position = 0;

  constructor(text: string, readValue: (raw: string) => V) {
    this.#text = text;
    this.#readValue = readValue;
  }

  parseWhole(): FilterOf<V> {
    const filter = this.#parseFilter();
    if (this.#position !== this.#text.length) this.#fail('text after the end of the filter');
    return filter;
  }

  #parseFilter(): FilterOf<V> {
    this.#expect('(');
    const filter = this.#parseComponent();
    this.#expect(')');
    return filter;
  }

  #parseComponent(): FilterOf<V> {
    switch (this.#text[this.#position]) {
      case '&':
        return { kind: 'and', filters: this.#parseList() };
      case '|':
        return { kind: 'or', filters: this.#parseList() };
      case '!':
        this.#position += 1;
        return { kind: 'not', filter: this.#parseFilter() };
      default:
        return this.#parseItem();
    }
  }

  #parseList(): FilterOf<V>[] {
    this.#position += 1;
    const filters: FilterOf<V>[] = [];
    while (this.#text[this.#position] === '(') filters.push(this.#parseFilter());
    if (filters.length === 0) this.#fail('a filter is missing');
    return filters;
  }

  #parseItem(): FilterOf<V> {
    const description = this.#take(/[^=()*\\]*/y);
    this.#expect('=');
    const raw = this.#take(/[^()\0]*/y);
    const operator = /[~<>:]$/.exec(description)?.[0];
    const left = operator === undefined ? description : description.slice(0, -1);
    if (operator === ':') return this.#extensible(left, raw);
    if (!attributeDescription.test(left)) this.#fail(`"${left}" is not an attribute`);
    switch (operator) {
      case '~':
        return { kind: 'approximate', attribute: left, value: this.#value(raw) };
      case '>':
        return { kind: 'greaterOrEqual', attribute: left, value: this.#value(raw) };
      case '<':
        return { kind: 'lessOrEqual', attribute: left, value: this.#value(raw) };
      default:
        return this.#equalOrSubstrings(left, raw);
    }
  }

  #equalOrSubstrings(attribute: string, raw: string): FilterOf<V> {
    if (raw === '*') return { kind: 'present', attribute };
    const parts = raw.split('*');
    if (parts.length === 1) return { kind: 'equal', attribute, value: this.#value(raw) };
    const end = (part: string | undefined): V | undefined => (part === undefined || part === '' ? undefined : this.#value(part));
    const any = parts.slice(1, -1).filter((part) => part !== '').map((part) => this.#value(part));
    return { kind: 'substrings', attribute, initial: end(parts[0]), any, final: end(parts.at(-1)) };
  }

  #extensible(left: string, raw: string): FilterOf<V> {
    const [attribute = '', ...options] = left.split(':');
    const dnAttributes = options[0]?.toLowerCase() === 'dn' ? 'yes' : 'no';
    const rules = dnAttributes === 'yes' ? options.slice(1) : options;
    const rule = rules[0];
    if (attribute !== '' && !attributeDescription.test(attribute)) this.#fail(`"${attribute}" is not an attribute`);
    if (rules.length > 1 || (rule !== undefined && !matchingRule.test(rule))) this.#fail('this is not a matching rule');
    if (attribute === '' && rule === undefined) this.#fail('an attribute or a matching rule is missing');
    return { kind: 'extensible', attribute: attribute === '' ? undefined : attribute, rule, dnAttributes, value: this.#value(raw) };
  }

  #value(raw: string): V {
    if (raw.includes('*')) this.#fail('"*" is not allowed here; write \\2a');
    return this.#readValue(raw);
  }

  #take(pattern: RegExp): string {
    pattern.lastIndex = this.#position;
    const taken = pattern.exec(this.#text)?.[0] ?? '';
    this.#position += taken.length;
    return taken;
  }

  #expect(character: string): void {
    if (this.#text[this.#position] !== character) this.#fail(`"${character}" is missing`);
    this.#position += 1;
  }

  #fail(problem: string): never {
    throw new Failure('bad-input', `search pattern, character ${String(this.#position + 1)}: ${problem}`);
  }
}
