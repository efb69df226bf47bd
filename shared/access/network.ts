/** Networks of IP addresses (pure): `192.0.2.0/24`, `2001:db8::/32`, or a single address. */
import { Failure } from '../base/failure.ts';

export interface Address { readonly family: 4 | 6; readonly bits: bigint }

export interface Network extends Address { readonly prefix: number }

/** @throws Failure('bad-input') that names the text */
export function parseNetwork(text: string): Network {
  const [host = '', prefixText, ...rest] = text.trim().split('/');
  const address = parseAddress(host);
  const width = address?.family === 4 ? 32 : 128;
  const prefix = prefixText === undefined ? width : /^\d{1,3}$/.test(prefixText) ? Number(prefixText) : Infinity;
  if (address === undefined || rest.length > 0 || prefix > width) throw new Failure('bad-input', `"${text}" is not a network`);
  return { ...address, prefix };
}

/** Whether an address lies in the network; text that is no address lies in none. IPv4 in IPv6 form counts as IPv4. */
export function networkContains(network: Network, address: string): boolean {
  const parsed = parseAddress(address);
  if (parsed === undefined || parsed.family !== network.family) return false;
  const shift = BigInt((parsed.family === 4 ? 32 : 128) - network.prefix);
  return parsed.bits >> shift === network.bits >> shift;
}

/** Usual size of what one client commands of IPv6: whoever has one address of it has them all (RFC 6177 section 2). */
export const usualIpv6Prefix = 64;

/** What one client commands: an IPv4 address, or an IPv6 network of that prefix. */
export function clientNetwork(address: string, ipv6Prefix = usualIpv6Prefix): string {
  const parsed = parseAddress(address);
  if (parsed === undefined) return address;
  return parsed.family === 4 ? `4:${parsed.bits.toString(16)}` : `6:${(parsed.bits >> BigInt(128 - ipv6Prefix)).toString(16)}`;
}

/** Undefined for text that is no IP address; IPv4 in IPv6 form is IPv4. */
export function parseAddress(text: string): Address | undefined {
  const v4 = parseV4(text);
  if (v4 !== undefined) return { family: 4, bits: v4 };
  const bits = parseV6(text.replace(/^\[|\]$/g, '').replace(/%.*$/, ''));
  if (bits === undefined) return undefined;
  return bits >> 32n === 0xffffn ? { family: 4, bits: bits & 0xffffffffn } : { family: 6, bits };
}

const v4Form = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})$/;

/** One pattern and plain numbers: several networks are compared at every connection. */
function parseV4(text: string): bigint | undefined {
  const [, ...parts] = v4Form.exec(text) ?? [];
  const numbers = parts.map(Number);
  if (numbers.length !== 4 || numbers.some((number) => number > 255)) return undefined;
  return BigInt(numbers.reduce((bits, number) => bits * 256 + number, 0));
}

function parseV6(text: string): bigint | undefined {
  const tail = /^(?<head>.*:)(?<v4>\d+\.\d+\.\d+\.\d+)$/.exec(text)?.groups;
  const v4 = tail?.['v4'] === undefined ? undefined : parseV4(tail['v4']);
  if (tail !== undefined && v4 === undefined) return undefined;
  const plain = v4 === undefined ? text : `${tail?.['head'] ?? ''}${(v4 >> 16n).toString(16)}:${(v4 & 0xffffn).toString(16)}`;
  const halves = plain.split('::');
  const groups = halves.map((half) => (half === '' ? [] : half.split(':')));
  const [before = [], after] = groups;
  const missing = 8 - before.length - (after?.length ?? 0);
  if (halves.length > 2 || (after === undefined ? missing !== 0 : missing < 1)) return undefined;
  const all = after === undefined ? before : [...before, ...Array.from({ length: missing }, () => '0'), ...after];
  if (!all.every((group) => /^[0-9A-Fa-f]{1,4}$/.test(group))) return undefined;
  return all.reduce((bits, group) => (bits << 16n) | BigInt(`0x${group}`), 0n);
}
