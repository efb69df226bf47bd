/** Our filters as ldapjs has them. */
import ldapjs from 'ldapjs';
import type { Filter } from './filter.ts';

export function toLdapjs(filter: Filter): ldapjs.Filter {
  switch (filter.kind) {
    case 'and':
      return new ldapjs.AndFilter({ filters: filter.filters.map(toLdapjs) });
    case 'or':
      return new ldapjs.OrFilter({ filters: filter.filters.map(toLdapjs) });
    case 'not':
      return new ldapjs.NotFilter({ filter: toLdapjs(filter.filter) });
    case 'present':
      return new ldapjs.PresenceFilter({ attribute: filter.attribute });
    case 'equal':
      return new ldapjs.EqualityFilter({ attribute: filter.attribute, value: Buffer.from(filter.value) });
    case 'approximate':
      return new ldapjs.ApproximateFilter({ attribute: filter.attribute, value: filter.value });
    case 'greaterOrEqual':
      return new ldapjs.GreaterThanEqualsFilter({ attribute: filter.attribute, value: filter.value });
    case 'lessOrEqual':
      return new ldapjs.LessThanEqualsFilter({ attribute: filter.attribute, value: filter.value });
    case 'substrings':
      return new ldapjs.SubstringFilter({
        attribute: filter.attribute, initial: filter.initial ?? '', any: [...filter.any], final: filter.final,
      });
    case 'extensible':
      return new ldapjs.ExtensibleFilter({
        matchType: filter.attribute, rule: filter.rule, value: filter.value, dnAttributes: filter.dnAttributes === 'yes',
      });
  }
}
