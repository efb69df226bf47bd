/** How a mailing group becomes an entry, in each kind of directory. */
import { test } from 'node:test';
import assert from 'node:assert/strict';
import type { ConnectorParameters } from '../../cluster-config/connector-parameters.ts';
import { groupEntry } from '../../cluster-config/directory-groups.ts';
import { isFailure } from '../../shared/base/failure.ts';

const groups = { searchPattern: '', objectClasses: ['groupOfNames'], memberAttribute: 'member' };
const openldap = { name: 'directory', serverType: 'openldap', searchBase: 'dc=example,dc=com', attributes: { address: 'mail' }, groups } as unknown as ConnectorParameters;
const isOwn = ({ dn }: { readonly dn?: string | undefined }): boolean => dn !== undefined;
const ann = { address: 'ann@example.com', dn: 'uid=ann,dc=example,dc=com', map: 'users' };

test('OpenLDAP: an entry below the base, its name escaped, members by entry and, where there is an attribute, by address', () => {
  const { dn, attributes } = groupEntry({ parameters: { ...openldap, groups: { ...groups, addressAttribute: 'rfc822Member', newEntries: { base: 'ou=lists,dc=example,dc=com' } } } as unknown as ConnectorParameters, isOwn }, { address: 'a,b@example.com', members: [ann, { address: 'friend@example.net' }] });
  assert.match(dn, /^cn=a(?:\\,|\\2c)b,ou=lists,dc=example,dc=com$/i);
  assert.deepEqual(Object.fromEntries(attributes.map(({ attribute, values }) => [attribute, values])), {
    objectClass: ['groupOfNames', 'extensibleObject'], cn: ['a,b'], mail: ['a,b@example.com'], member: [ann.dn], rfc822Member: ['friend@example.net'],
  });
});

test('Active Directory: a universal group for mail only, which may be empty, with an account name that it takes', () => {
  const { attributes } = groupEntry({ parameters: { ...openldap, serverType: 'activeDirectory' } as unknown as ConnectorParameters, isOwn }, { address: 'team+x@example.com', members: [] });
  assert.deepEqual(Object.fromEntries(attributes.map(({ attribute, values }) => [attribute, values])), { objectClass: ['top', 'group'], cn: ['team+x'], mail: ['team+x@example.com'], groupType: ['8'], sAMAccountName: ['team-x-example.com'] });
});

test('what the directory has no place for is refused', () => {
  const refused = (words: RegExp, run: () => unknown): void => assert.throws(run, (error) => isFailure(error, 'bad-input') && words.test(error.message));
  refused(/needs a member/, () => groupEntry({ parameters: openldap, isOwn }, { address: 'team@example.com', members: [] }));
  refused(/groups\.addressAttribute/, () => groupEntry({ parameters: openldap, isOwn }, { address: 'team@example.com', members: [ann, { address: 'friend@example.net' }] }));
  refused(/knows no groups/, () => groupEntry({ parameters: { ...openldap, groups: undefined } as unknown as ConnectorParameters, isOwn }, { address: 'team@example.com', members: [ann] }));
});
