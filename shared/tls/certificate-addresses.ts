/** Reads mail addresses out of a client's certificate (pure). */
import type { X509Certificate } from 'node:crypto';

/**
 * `subjectAltName`: names of type rfc822Name (RFC 5280 section 4.2.1.6). `emailAddress`: that attribute of the subject (section
 * 4.1.2.6 calls it deprecated, but many authorities write it). `commonName`: the subject's CN, if it is an address.
 */
export const addressPlaces = ['subjectAltName', 'emailAddress', 'commonName'] as const;
export type AddressPlace = (typeof addressPlaces)[number];

/** ASCII only (rfc822Name holds nothing else), nothing that could be part of a list or a quoted text. */
const addressGrammar = /^[!#-+\--;=?A-[\]-~]+@[A-Za-z0-9.-]+$/;
/** One name of Node's text for subjectAltName: what holds a comma or a quote is told as a JSON string, so that no name can look like two. */
const altName = /(?:^|, )(?<type>[A-Za-z ]+):(?<value>"(?:[^"\\]|\\.)*"|[^",]*)/gy;

/** In lower case, in the order of the places. */
export function addressesIn(certificate: X509Certificate, places: readonly AddressPlace[]): readonly string[] {
  return [...new Set(places.flatMap((place) => valuesAt(certificate, place)).filter((value) => addressGrammar.test(value)).map((value) => value.toLowerCase()))];
}

function valuesAt({ subject, subjectAltName }: X509Certificate, place: AddressPlace): string[] {
  if (place === 'subjectAltName') {
    return [...(subjectAltName ?? '').matchAll(altName)].flatMap(({ groups }) => (groups?.['type'] === 'email' ? [groups['value'] ?? ''] : []));
  }
  const attribute = place === 'emailAddress' ? 'emailAddress=' : 'CN=';
  // One attribute a line; line feeds in values are escaped.
  return (subject ?? '').split('\n').filter((line) => line.startsWith(attribute)).map((line) => line.slice(attribute.length));
}
