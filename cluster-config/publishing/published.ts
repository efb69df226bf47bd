/** A published version of the cluster configuration, and how it stands in an entry of the directory (pure). */
import { createHash } from 'node:crypto';
import type { NewAttribute, ValueChange } from '../../shared/ldap/result-message.ts';
import type { Entry } from '../../shared/ldap/ldap-connection.ts';

/** What is known of a version without its text. */
export interface VersionFacts {
  /** Counts from 1; each publishing takes the next. */
  readonly number: number;
  /** SHA-256 of the text, in hexadecimal digits. */
  readonly digest: string;
  /** When it was published, ISO 8601. */
  readonly at: string;
  /** Who published it, as the publisher says. */
  readonly by: string;
  /** What the publisher says of it; may be empty. */
  readonly message: string;
}

export interface Published extends VersionFacts {
  /** The YAML. */
  readonly text: string;
}

export type DirectoryKind = 'openldap' | 'activeDirectory';

/** The names that a kind of directory has for it. */
export interface EntryLayout {
  readonly objectClasses: readonly string[];
  readonly number: string;
  readonly document: string;
  /** Several values, each `name=value`. */
  readonly facts: string;
}

/**
 * OpenLDAP and the embedded directory: attributes of our own (docs/directory/openldap/waybill.schema). Active Directory: a
 * service connection point, which every forest has, with attributes that are free on it: no schema has to be extended.
 */
export const entryLayouts: Readonly<Record<DirectoryKind, EntryLayout>> = {
  openldap: { objectClasses: ['top', 'waybillConfiguration'], number: 'waybillVersion', document: 'waybillDocument', facts: 'waybillFact' },
  activeDirectory: { objectClasses: ['top', 'leaf', 'connectionPoint', 'serviceConnectionPoint'], number: 'versionNumber', document: 'serviceBindingInformation', facts: 'keywords' },
};

export function digestOf(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

export function entryAttributes(layout: EntryLayout, version: Published): readonly NewAttribute[] {
  return [{ attribute: 'objectClass', values: layout.objectClasses }, ...contents(layout, version)];
}

/** One Modify that fails with noSuchAttribute when somebody else has published since `before` was read. */
export function replacement(layout: EntryLayout, before: VersionFacts, next: Published): readonly ValueChange[] {
  const [number, ...others] = contents(layout, next);
  return [
    { operation: 'delete', attribute: layout.number, values: [String(before.number)] },
    { operation: 'add', attribute: layout.number, values: number?.values ?? [] },
    ...others.map((one) => ({ ...one, operation: 'replace' as const })),
  ];
}

function contents(layout: EntryLayout, { number, digest, at, by, message, text }: Published): readonly NewAttribute[] {
  const facts = Object.entries({ digest, at, by, message }).map(([name, value]) => `${name}=${value}`);
  return [
    { attribute: layout.number, values: [String(number)] },
    { attribute: layout.document, values: [text] },
    { attribute: layout.facts, values: facts },
  ];
}

/** Undefined for an entry that holds no version. */
export function factsOf(layout: EntryLayout, { attributes }: Entry): VersionFacts | undefined {
  const number = Number(attributes.get(layout.number.toLowerCase())?.[0]?.toString('utf8'));
  if (!Number.isSafeInteger(number) || number < 1) return undefined;
  const facts = new Map((attributes.get(layout.facts.toLowerCase()) ?? []).map((value): [string, string] => {
    const [name = '', ...rest] = value.toString('utf8').split('=');
    return [name, rest.join('=')];
  }));
  const fact = (name: string): string => facts.get(name) ?? '';
  return { number, digest: fact('digest'), at: fact('at'), by: fact('by'), message: fact('message') };
}

/** The whole version; undefined as `factsOf`. Whether digest and text fit each other is for the reader to check. */
export function publishedOf(layout: EntryLayout, entry: Entry): Published | undefined {
  const facts = factsOf(layout, entry);
  const text = entry.attributes.get(layout.document.toLowerCase())?.[0]?.toString('utf8');
  return facts === undefined || text === undefined ? undefined : { ...facts, text };
}
