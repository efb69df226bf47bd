/** A user map that asks a directory. */
import { Failure } from '../base/failure.ts';
import type { Connector, Entry } from '../ldap/connector.ts';
import { verifyPassword } from '../ldap/password-hash.ts';
import { compileSearchPattern } from '../ldap/search-pattern.ts';
import type { SearchPattern } from '../ldap/search-pattern.ts';
import type { Logger } from '../log/log.ts';
import type { AttributeNames, LdapMapOptions, UserEntry, UserMap } from './user-maps.ts';

/** Enough to see that there are several, and to name some of them. */
const mostMatches = 5;
/** Longer than any address of RFC 5321 section 4.5.3.1: nobody has it, so the directory isn't asked. */
const longestAddress = 320;

export class LdapMap implements UserMap {
  readonly name: string;
  readonly #kind: LdapMapOptions['kind'];
  readonly #connector: Connector;
  readonly #pattern: SearchPattern;
  readonly #names: AttributeNames;
  readonly #onSeveral: LdapMapOptions['onSeveral'];
  readonly #log: Logger;

  constructor(options: LdapMapOptions, log: Logger) {
    this.name = options.name;
    this.#kind = options.kind;
    this.#connector = options.connector;
    this.#pattern = compileSearchPattern(options.searchPattern);
    this.#names = options.attributes;
    this.#onSeveral = options.onSeveral;
    this.#log = log.child({ map: options.name });
  }

  async lookUp(address: string): Promise<UserEntry | undefined> {
    const { mail, mailLocalAddress, mailHost, mailRoutingAddress } = this.#names;
    const found = await this.#find(address, [mail, mailLocalAddress, mailHost, mailRoutingAddress]);
    return found === undefined ? undefined : this.#toUserEntry(found);
  }

  async authenticate(entry: UserEntry, password: string): Promise<'ok' | 'refused'> {
    if (entry.dn === undefined) return 'refused';
    if (this.#kind === 'ldapBind') return await this.#connector.bind(entry.dn, password);
    const found = await this.#connector.read(entry.dn, [this.#names.userPassword]);
    if (found === undefined) return 'refused';
    for (const stored of values(found, this.#names.userPassword)) {
      const match = await verifyPassword(stored, password);
      if (match === 'match') return 'ok';
      if (match === 'unsupported') this.#log.error({ dn: found.dn }, 'password is kept in a scheme that can\'t be checked; use a map of kind ldapBind');
    }
    return 'refused';
  }

  async #find(address: string, attributes: readonly string[]): Promise<Entry | undefined> {
    if (address.length > longestAddress) return undefined;
    const entries = await this.#connector.search(this.#pattern(address), attributes, { sizeLimit: mostMatches });
    if (entries.length <= 1) return entries[0];
    const names = entries.map((entry) => entry.dn).toSorted();
    this.#log.error({ address, entries: names, onSeveral: this.#onSeveral }, 'several entries match one address');
    if (this.#onSeveral === 'first') return entries.find((entry) => entry.dn === names[0]);
    throw unusable();
  }

  #toUserEntry(entry: Entry): UserEntry {
    const [address, ...otherAddresses] = values(entry, this.#names.mail).map((value) => value.toLowerCase());
    if (address === undefined) {
      this.#log.error({ dn: entry.dn, attribute: this.#names.mail }, 'entry has no address');
      throw unusable();
    }
    const aliases = values(entry, this.#names.mailLocalAddress).map((value) => value.toLowerCase());
    return {
      address, dn: entry.dn, map: this.name,
      aliases: [...new Set([...otherAddresses, ...aliases])].filter((alias) => alias !== address),
      mailHost: values(entry, this.#names.mailHost)[0]?.trim(),
      routingAddress: values(entry, this.#names.mailRoutingAddress)[0]?.trim(),
    };
  }
}

function values(entry: Entry, attribute: string): string[] {
  return (entry.attributes.get(attribute.toLowerCase()) ?? []).map((value) => value.toString('utf8'));
}

/** The directory answered, but not in a way that says who the user is: temporary, until an administrator has mended it. */
function unusable(): Failure {
  return new Failure('directory-unavailable', 'The directory\'s answer can\'t be used. Try again later.');
}
