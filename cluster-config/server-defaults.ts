/** The names and patterns that each kind of directory has, where a connector doesn't say. */

type AttributeNames = Readonly<Record<'address' | 'alias' | 'password' | 'host' | 'routingAddress' | 'language', string>>;

interface Defaults {
  readonly attributes: AttributeNames;
  readonly searchPattern: string;
  readonly groupPattern: string;
  /** Of groups that are made here. */
  readonly groupClasses: readonly string[];
}

/**
 * Active Directory: `objectCategory=person` keeps groups and computers out, and is indexed. The two attributes of the mail system are of those that
 * every forest since Windows Server 2012 has, single-valued and free for such use.
 */
export const serverDefaults: Readonly<Record<'openldap' | 'activeDirectory', Defaults>> = {
  openldap: {
    attributes: { address: 'mail', alias: 'mailLocalAddress', password: 'userPassword', host: 'mailHost', routingAddress: 'mailRoutingAddress', language: 'preferredLanguage' },
    searchPattern: '(|(mail=%e)(mailLocalAddress=%e))',
    groupPattern: '(mail=%e)',
    groupClasses: ['groupOfNames', 'extensibleObject'],
  },
  activeDirectory: {
    attributes: {
      address: 'mail', alias: 'proxyAddresses', password: 'unicodePwd', host: 'msDS-cloudExtensionAttribute1', routingAddress: 'msDS-cloudExtensionAttribute2', language: 'preferredLanguage',
    },
    searchPattern: '(&(objectCategory=person)(|(mail=%e)(proxyAddresses=smtp:%e)(userPrincipalName=%e)(sAMAccountName=%u)))',
    groupPattern: '(&(objectCategory=group)(|(mail=%e)(proxyAddresses=smtp:%e)))',
    groupClasses: ['top', 'group'],
  },
};
