/**
 * Sets of IP addresses as rules name them (pure): one address, a range, an address with a mask or a prefix, or `any`.
 * `192.0.2.7` · `192.0.2.1-192.0.2.20` · `192.0.2.0/255.255.255.0` · `192.0.2.0/24` · `2001:db8::/32`
 */
import { Failure } from '../base/failure.ts';
import { parseAddress } from './network.ts';
import type { Address } from './network.ts';

export type IpSet =
  | { readonly kind: 'any' }
  | { readonly kind: 'range'; readonly family: 4 | 6; readonly first: bigint; readonly last: bigint };

/** @throws Failure('bad-input') that names the text */
export function parseIpSet(text: string): IpSet {
  const plain = text.trim();
  if (plain.toLowerCase() === 'any') return { kind: 'any' };
  const set = plain.includes('-') ? parseRange(plain) : plain.includes('/') ? parseBlock(plain) : parseSingle(plain);
  if (set === undefined) throw new Failure('bad-input', `"${text}" is not a set of IP addresses`);
  return set;
}

/** Whether an address (undefined: something that is none) lies in the set. */
export function ipSetContains(set: IpSet, address: Address | undefined): boolean {
  if (set.kind === 'any') return true;
  return address?.family === set.family && address.bits >= set.first && address.bits <= set.last;
}

function parseSingle(text: string): IpSet | undefined {
  const address = parseAddress(text);
  return address === undefined ? undefined : { kind: 'range', family: address.family, first: address.bits, last: address.bits };
}

function parseRange(text: string): IpSet | undefined {
  const [from, to, ...rest] = text.split('-').map((end) => parseAddress(end.trim()));
  if (from === undefined || to?.family !== from.family || rest.length > 0 || to.bits < from.bits) return undefined;
  return { kind: 'range', family: from.family, first: from.bits, last: to.bits };
}

/** The bits behind mask or prefix may be set: 10.0.0.1/8 is all of 10. */
function parseBlock(text: string): IpSet | undefined {
  const [host = '', size = '', ...rest] = text.split('/');
  const address = parseAddress(host);
  if (address === undefined || rest.length > 0) return undefined;
  const width = address.family === 4 ? 32 : 128;
  const prefix = /^\d{1,3}$/.test(size) ? Number(size) : prefixOfMask(size, address.family);
  if (prefix === undefined || prefix > width) return undefined;
  const behind = (1n << BigInt(width - prefix)) - 1n;
  const first = (address.bits | behind) ^ behind;
  return { kind: 'range', family: address.family, first, last: first | behind };
}

/** How many ones a mask begins with; undefined when there are others behind a zero. */
function prefixOfMask(text: string, family: 4 | 6): number | undefined {
  const mask = parseAddress(text);
  if (mask?.family !== family) return undefined;
  const bits = mask.bits.toString(2).padStart(family === 4 ? 32 : 128, '0');
  return /^1*0*$/.test(bits) ? bits.lastIndexOf('1') + 1 : undefined;
}
