/** Reads published versions of the configuration: the present one, and the old ones that lie beside it. */
import { readFile } from 'node:fs/promises';
import { Failure } from '../../shared/base/failure.ts';
import { formatDn, NameSyntaxError, parseDn } from '../../shared/directory/dn.ts';
import type { DistinguishedName } from '../../shared/directory/dn.ts';
import { createConnector } from '../../shared/ldap/connector.ts';
import type { Connector } from '../../shared/ldap/connector.ts';
import type { Logger } from '../../shared/log/log.ts';
import { readSecret } from '../secret.ts';
import type { Bootstrap } from './bootstrap.ts';
import { digestOf, entryLayouts, factsOf, publishedOf } from './published.ts';
import type { EntryLayout, Published, VersionFacts } from './published.ts';

export interface Surroundings {
  readonly log: Logger;
  readonly environment: Readonly<Record<string, string | undefined>>;
}

/** Where versions lie: the present one at `head`, old ones at names that follow from it. */
export class VersionNames {
  readonly head: string;
  readonly parent: string;
  readonly #stem: string;
  readonly #above: DistinguishedName;

  /** @throws Failure('bad-input') for a name that is not `cn=…,…` */
  constructor(entry: string) {
    const [first, ...above] = nameOf(entry);
    const [part] = first ?? [];
    if (part?.attribute.toLowerCase() !== 'cn' || above.length === 0) throw new Failure('bad-input', `directory.entry must be cn=NAME below another entry, and is ${entry}`);
    this.head = entry;
    this.#stem = part.value;
    this.#above = above;
    this.parent = formatDn(above);
  }

  ofVersion(number: number): string {
    return formatDn([[{ attribute: 'cn', value: this.cnOfVersion(number) }], ...this.#above]);
  }

  cnOfVersion(number: number): string {
    return `${this.#stem}-${String(number)}`;
  }

  get cn(): string {
    return this.#stem;
  }
}

function nameOf(entry: string): DistinguishedName {
  try {
    return parseDn(entry);
  } catch (error) {
    if (error instanceof NameSyntaxError) throw new Failure('bad-input', `directory.entry: ${error.message}`);
    throw error;
  }
}

export class Publication {
  readonly names: VersionNames;
  readonly layout: EntryLayout;
  readonly #connector: Connector;

  constructor(connector: Connector, names: VersionNames, layout: EntryLayout) {
    this.#connector = connector;
    this.names = names;
    this.layout = layout;
  }

  /** Nothing is opened before the first question. @throws Failure('bad-input') */
  static async open({ directory }: Bootstrap, { log, environment }: Surroundings): Promise<Publication> {
    const names = new VersionNames(directory.entry);
    const connector = createConnector({
      name: 'configuration', uris: directory.uris, log, bindDn: directory.bindDn,
      bindPassword: directory.bindPassword === undefined ? undefined : await readSecret(directory.bindPassword, environment),
      startTls: directory.startTls ? 'yes' : 'no',
      ca: directory.ca === undefined ? undefined : await readFile(directory.ca, 'utf8'),
      searchBase: names.parent, scope: 'one',
      timeoutMs: directory.timeoutSeconds * 1000,
      connections: 1,
    });
    return new Publication(connector, names, entryLayouts[directory.serverType]);
  }

  /** What the server that is asked knows of the present version; undefined when nothing is published. @throws Failure('directory-unavailable') */
  async headFacts(): Promise<VersionFacts | undefined> {
    const entry = await this.#connector.read(this.names.head, [this.layout.number, this.layout.facts]);
    return entry === undefined ? undefined : factsOf(this.layout, entry);
  }

  /** @throws Failure('directory-unavailable'), Failure('bad-input') where text and digest don't fit */
  async head(): Promise<Published | undefined> {
    return this.#read(this.names.head);
  }

  /** A version by its number, the present one included. @throws as `head` */
  async version(number: number): Promise<Published | undefined> {
    const head = await this.head();
    return head?.number === number ? head : this.#read(this.names.ofVersion(number));
  }

  /** All versions that are kept, the newest first. @throws Failure('directory-unavailable') */
  async history(): Promise<readonly VersionFacts[]> {
    const old = await this.#connector.list({ having: this.layout.number, base: undefined }, ['cn', this.layout.number, this.layout.facts]);
    const known = old.flatMap((entry) => {
      const facts = factsOf(this.layout, entry);
      const cn = entry.attributes.get('cn')?.[0]?.toString('utf8').toLowerCase();
      const ours = facts !== undefined && [this.names.cn, this.names.cnOfVersion(facts.number)].some((name) => name.toLowerCase() === cn);
      return ours ? [facts] : [];
    });
    // One that was kept, and then not replaced because its publisher died, stands there twice.
    return [...new Map(known.map((facts) => [facts.number, facts])).values()].toSorted((one, other) => other.number - one.number);
  }

  close(): void {
    this.#connector.close();
  }

  async #read(dn: string): Promise<Published | undefined> {
    const entry = await this.#connector.read(dn, [this.layout.number, this.layout.document, this.layout.facts]);
    const version = entry === undefined ? undefined : publishedOf(this.layout, entry);
    if (version !== undefined && digestOf(version.text) !== version.digest) {
      throw new Failure('bad-input', `version ${String(version.number)} at ${dn} was changed by hand: its text has not the digest that was published`);
    }
    return version;
  }
}
