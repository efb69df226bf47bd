/** A user map that asks a directory. */
import { preferredLanguage } from '../language/language.ts';
import { Failure } from '../base/failure.ts';
import type { Connector, Entry } from '../ldap/connector.ts';
import { clearTextOf, verifyPassword } from '../ldap/password-hash.ts';
import type { PasswordChange } from '../ldap/password-writer.ts';
import { wholeValues } from '../ldap/ranged-values.ts';
import { compileSearchPattern } from '../ldap/search-pattern.ts';
import type { SearchPattern } from '../ldap/search-pattern.ts';
import type { Logger } from '../log/log.ts';
import { parseScramKeys } from '../sasl/scram-keys.ts';
import type { ScramMechanism } from '../sasl/scram-keys.ts';
import { barred } from './barred.ts';
import type { UseTerms } from '../access/account-use.ts';
import { limitsIn } from './entry-limits.ts';
import { termsIn } from './entry-terms.ts';
import { addressIn } from './typed-address.ts';
import type { AttributeNames, GroupOptions, LdapMapOptions, ScramSecret, UserEntry, UserMap } from './user-maps.ts';

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
  readonly #groups: GroupOptions | undefined;
  readonly #groupPattern: SearchPattern | undefined;
  readonly #writePassword: LdapMapOptions['writePassword'];
  readonly #log: Logger;
  /** The stored value that took longest to compare with; what nobody's password is compared with. */
  #dearest: { readonly stored: string; readonly tookMs: number } | undefined;

  constructor(options: LdapMapOptions, log: Logger) {
    this.name = options.name;
    this.#kind = options.kind;
    this.#connector = options.connector;
    this.#pattern = compileSearchPattern(options.searchPattern);
    this.#names = options.attributes;
    this.#onSeveral = options.onSeveral;
    this.#groups = options.groups;
    this.#groupPattern = options.groups === undefined ? undefined : compileSearchPattern(options.groups.searchPattern);
    this.#writePassword = options.writePassword;
    this.#log = log.child({ map: options.name });
  }

  async lookUp(address: string, which?: 'also deleted'): Promise<UserEntry | undefined> {
    const found = await this.#find(address, this.#wanted());
    if (found === undefined || (which === undefined && this.#termsOf(found).status === 'deleted')) return undefined;
    return await this.#toGroup(found) ?? this.#toUserEntry(found);
  }

  async member(dn: string): Promise<UserEntry | undefined> {
    const found = await this.#connector.read(dn, this.#wanted());
    if (found === undefined || this.#termsOf(found).status === 'deleted') return undefined;
    return await this.#toGroup(found) ?? (values(found, this.#names.mail).length === 0 ? undefined : this.#toUserEntry(found));
  }

  async authenticate(entry: UserEntry, password: string): Promise<'ok' | 'refused'> {
    if (entry.dn === undefined) return 'refused';
    if (this.#kind === 'ldapBind') return await this.#bind(entry.dn, password);
    for (const stored of await this.#storedPasswords(entry.dn)) {
      const beganMs = performance.now();
      const match = await verifyPassword(stored, password);
      const tookMs = performance.now() - beganMs;
      if (tookMs >= (this.#dearest?.tookMs ?? 0)) this.#dearest = { stored, tookMs };
      if (match === 'match') return 'ok';
      if (match === 'unsupported') this.#log.error({ dn: entry.dn }, 'password is kept in a scheme that can\'t be checked; use a map of kind ldapBind');
    }
    return 'refused';
  }

  async changePassword(entry: UserEntry, change: PasswordChange, newPassword: string): Promise<void> {
    if (this.#writePassword === undefined || entry.dn === undefined || entry.group !== undefined) throw new Failure('forbidden', 'This password can\'t be changed here.');
    try {
      await this.#writePassword(entry.dn, { change, newPassword });
      this.#log.info({ dn: entry.dn, by: change.kind === 'own' ? 'the user' : 'an administrator' }, 'password changed');
    } catch (error) {
      this.#log.warn({ dn: entry.dn, err: error }, 'password not changed');
      throw error;
    }
  }

  /** Where the directory compares, nobody is known to take as long as somebody; refusals wait for that (RefusalPace). */
  async pretend(password: string): Promise<void> {
    if (this.#dearest !== undefined) await verifyPassword(this.#dearest.stored, password);
  }

  async scramSecret(entry: UserEntry, mechanism: ScramMechanism): Promise<ScramSecret | undefined> {
    if (entry.dn === undefined || this.#kind === 'ldapBind') return undefined;
    const stored = await this.#storedPasswords(entry.dn);
    const found = stored.map(parseScramKeys).find((value) => value?.mechanism === mechanism);
    if (found !== undefined) return { kind: 'keys', keys: found.keys };
    const password = stored.map(clearTextOf).find((value) => value !== undefined && value !== '');
    return password === undefined ? undefined : { kind: 'password', password };
  }

  async #bind(dn: string, password: string): Promise<'ok' | 'refused'> {
    const verdict = await this.#connector.bind(dn, password);
    // An entry that went between its search and the bind makes a refusal that says nothing of the password.
    if (verdict === 'refused' && password !== '' && (await this.#connector.read(dn, [this.#names.mail])) === undefined) throw unusable();
    if (verdict === 'ok' || verdict === 'refused') return verdict;
    this.#log.warn({ dn, state: verdict }, 'the directory lets nobody into this account');
    throw barred(verdict);
  }

  async #storedPasswords(dn: string): Promise<string[]> {
    const found = await this.#connector.read(dn, [this.#names.userPassword]);
    // A search has just shown the entry: where it isn't, the directory is not whole.
    if (found === undefined) throw unusable();
    return values(found, this.#names.userPassword);
  }

  #wanted(): string[] {
    const { mail, mailLocalAddress, mailHost, mailRoutingAddress, status, services, language, quotaBytes, quotaMessages } = this.#names;
    const further = [status, services, language, quotaBytes, quotaMessages].filter((name) => name !== undefined);
    const { memberAttribute, addressAttribute } = this.#groups ?? {};
    const ofGroups = [memberAttribute, addressAttribute].filter((name) => name !== undefined);
    return [mail, mailLocalAddress, mailHost, mailRoutingAddress, ...further, ...(this.#groups === undefined ? [] : ['objectClass', ...ofGroups])];
  }

  /** The entry as a group, if its object class says that it is one. */
  async #toGroup(entry: Entry): Promise<UserEntry | undefined> {
    const groups = this.#groups;
    const classes = new Set(values(entry, 'objectClass').map((name) => name.toLowerCase()));
    if (groups === undefined || !groups.objectClasses.some((name) => classes.has(name.toLowerCase()))) return undefined;
    const members = await wholeValues(this.#connector, entry, groups.memberAttribute);
    return {
      address: values(entry, this.#names.mail)[0]?.toLowerCase() ?? '', dn: entry.dn, map: this.name, aliases: [], mailHost: undefined, routingAddress: undefined,
      group: {
        members: members.values.map(String),
        addresses: groups.addressAttribute === undefined ? [] : values(entry, groups.addressAttribute),
        more: members.more,
      },
    };
  }

  async #find(address: string, attributes: readonly string[]): Promise<Entry | undefined> {
    if (address.length > longestAddress) return undefined;
    const entries = await this.#matches(address, attributes);
    if (entries.length <= 1) return entries[0];
    const names = entries.map((entry) => entry.dn).toSorted();
    this.#log.error({ address, entries: names, onSeveral: this.#onSeveral }, 'several entries match one address');
    if (this.#onSeveral === 'first') return entries.find((entry) => entry.dn === names[0]);
    throw unusable();
  }

  /** Users and groups that have the address; where they lie apart, each in its own place. */
  async #matches(address: string, attributes: readonly string[]): Promise<readonly Entry[]> {
    const sizeLimit = mostMatches;
    const [user, group] = [this.#pattern(address), this.#groupPattern?.(address)];
    if (group === undefined) return this.#connector.search(user, attributes, { sizeLimit });
    const base = this.#groups?.searchBase;
    if (base === undefined) return this.#connector.search({ kind: 'or', filters: [user, group] }, attributes, { sizeLimit });
    const both = await Promise.all([
      this.#connector.search(user, attributes, { sizeLimit }), this.#connector.search(group, attributes, { sizeLimit, base }),
    ]);
    return [...new Map(both.flat().map((entry) => [entry.dn, entry])).values()];
  }

  #toUserEntry(entry: Entry): UserEntry {
    const [address, ...otherAddresses] = values(entry, this.#names.mail).map((value) => value.toLowerCase());
    if (address === undefined) {
      this.#log.error({ dn: entry.dn, attribute: this.#names.mail }, 'entry has no address');
      throw unusable();
    }
    const { mailLocalAddress: alias } = this.#names;
    const aliases = values(entry, alias).flatMap((value) => addressIn(alias, value)?.toLowerCase() ?? []);
    return {
      address, dn: entry.dn, map: this.name,
      aliases: [...new Set([...otherAddresses, ...aliases])].filter((alias) => alias !== address),
      mailHost: values(entry, this.#names.mailHost)[0]?.trim(),
      routingAddress: values(entry, this.#names.mailRoutingAddress)[0]?.trim(),
      ...(this.#names.language === undefined ? {} : { language: preferredLanguage(values(entry, this.#names.language)[0]) }),
      ...this.#limitsOf(entry),
      ...(this.#names.status === undefined && this.#names.services === undefined ? {} : { terms: this.#termsOf(entry) }),
    };
  }

  /** Where attributes for it are named, also that there is none: then what it was before holds no more. */
  #limitsOf(entry: Entry): Pick<UserEntry, 'limits'> {
    const { quotaBytes, quotaMessages } = this.#names;
    if (quotaBytes === undefined && quotaMessages === undefined) return {};
    const first = (name: string | undefined): string | undefined => (name === undefined ? undefined : values(entry, name)[0]);
    return { limits: limitsIn({ bytes: first(quotaBytes), messages: first(quotaMessages) }) };
  }

  #termsOf(entry: Entry): UseTerms {
    const { status, services } = this.#names;
    return termsIn({ status: status === undefined ? [] : values(entry, status), services: services === undefined ? [] : values(entry, services) });
  }
}

function values(entry: Entry, attribute: string): string[] {
  return (entry.attributes.get(attribute.toLowerCase()) ?? []).map((value) => value.toString('utf8'));
}

/** The directory answered, but not in a way that says who the user is: temporary, until an administrator has mended it. */
function unusable(): Failure {
  return new Failure('directory-unavailable', 'The directory\'s answer can\'t be used. Try again later.');
}
