/** Addresses as the system tells them, in one spelling. Pure. */

/** An IPv4 address that arrived in IPv6 clothes (`::ffff:192.0.2.1`) as plain IPv4; others unchanged. */
export function plainAddress(address: string): string {
  return address.startsWith('::ffff:') && address.includes('.') ? address.slice(7) : address;
}
