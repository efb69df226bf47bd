/**
 * Addresses as Exchange and Active Directory keep them: `SMTP:alice@example.com` for the first, `smtp:al@example.com` for others, and
 * things that are no mail addresses (`X500:…`, `SIP:…`) beside them, in the attribute proxyAddresses (MS-OXOABK section 2.2.3.23).
 */

/** The mail address of a value, as it is where the attribute has plain ones; undefined for other kinds. */
export function addressIn(attribute: string, value: string): string | undefined {
  if (!isTyped(attribute)) return value;
  const { type, address } = /^(?<type>[^:@]{1,32}):(?<address>.*)$/s.exec(value)?.groups ?? {};
  if (type === undefined) return value;
  return type.toLowerCase() === 'smtp' ? address : undefined;
}

/** The value for a further address. */
export function typedAddress(attribute: string, address: string): string {
  return isTyped(attribute) ? `smtp:${address}` : address;
}

export function isTyped(attribute: string): boolean {
  return attribute.toLowerCase() === 'proxyaddresses';
}
