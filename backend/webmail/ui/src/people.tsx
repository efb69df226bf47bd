/** How people are shown: names, initials, colours. */
import type { AddressView } from '../../api.ts';
import { texts } from './texts.ts';

export function nameOf({ name, address }: AddressView): string {
  return name || address || texts.value.unknownSender;
}

/** A few names in one line. */
export function namesOf(addresses: readonly AddressView[]): string {
  return addresses.map(nameOf).join(', ');
}

/** As it is written in an address field. */
export function writtenAddress({ name, address }: AddressView): string {
  if (name === '') return address;
  return `${/^[\p{L}\p{N} .'-]+$/u.test(name) ? name : `"${name.replace(/["\\]/g, '\\$&')}"`} <${address}>`;
}

export function Avatar({ person }: { readonly person: AddressView | undefined }) {
  const text = person === undefined ? '' : nameOf(person);
  const words = text.replace(/@.*/, '').split(/[\s._-]+/).filter((word) => /^[\p{L}\p{N}]/u.test(word));
  const initials = [words[0], words.length > 1 ? words.at(-1) : undefined].map((word) => Array.from(word ?? '')[0] ?? '').join('');
  return <span class={`avatar avatar-${String(hueOf(person?.address ?? ''))}`} aria-hidden="true">{initials.toUpperCase() || '?'}</span>;
}

/** One of eight colours, always the same for an address. */
function hueOf(address: string): number {
  let sum = 0;
  for (const character of address.toLowerCase()) sum = (sum * 31 + (character.codePointAt(0) ?? 0)) % 9973;
  return sum % 8;
}
