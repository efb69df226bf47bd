/** Who may see and do what in the embedded directory: everybody reads all but passwords, the administrator changes everything, a user his own password. */
import { formatDn } from './dn.ts';
import type { DistinguishedName } from './dn.ts';
import type { DirectoryEntry } from './entry.ts';
import { treeKey } from './entry.ts';
import { Refusal } from './result.ts';
import { attributeKey } from './schema.ts';

/** Who a connection speaks for. */
export type Identity =
  | { readonly kind: 'anonymous' }
  | { readonly kind: 'admin'; readonly dn: DistinguishedName }
  | { readonly kind: 'user'; readonly dn: DistinguishedName };

const secretAttribute = 'userpassword';

/** The entry as this identity sees it; filters are evaluated on nothing else, so that they can't be used to guess. */
export function visibleEntry(entry: DirectoryEntry, identity: Identity): DirectoryEntry {
  if (!entry.attributes.has(secretAttribute) || identity.kind === 'admin' || isSelf(identity, entry.dn)) return entry;
  const attributes = new Map(entry.attributes);
  attributes.delete(secretAttribute);
  return { dn: entry.dn, attributes };
}

/** @throws Refusal insufficientAccessRights, strongerAuthRequired for anonymous */
export function requireAdmin(identity: Identity): void {
  if (identity.kind === 'anonymous') throw new Refusal('strongerAuthRequired', 'modifications require authentication');
  if (identity.kind !== 'admin') throw new Refusal('insufficientAccessRights', 'only the administrator may do this');
}

/** Allows the administrator everything, and users their own password. @throws Refusal as `requireAdmin` */
export function requireModify(identity: Identity, dn: DistinguishedName, attributes: readonly string[]): void {
  if (isSelf(identity, dn) && attributes.every((attribute) => attributeKey(attribute) === secretAttribute)) return;
  requireAdmin(identity);
}

/** The authorisation identity of RFC 4513 section 5.2.1.8; empty for anonymous. */
export function authorisationId(identity: Identity): string {
  return identity.kind === 'anonymous' ? '' : `dn:${formatDn(identity.dn)}`;
}

function isSelf(identity: Identity, dn: DistinguishedName): boolean {
  return identity.kind === 'user' && treeKey(identity.dn) === treeKey(dn);
}
