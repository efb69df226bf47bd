/** A host as the Host field gives it: name, IPv4 or bracketed IPv6, with or without a port (RFC 9110 section 7.2). */
const hostField = /^(?<name>[\w.-]+|\[[\da-f:.]+\])(?::(?<port>\d{1,5}))?$/i;

/** Undefined for text that is no such host. */
export function readHostField(text: string): { readonly name: string; readonly port: number | undefined } | undefined {
  const groups = hostField.exec(text)?.groups;
  if (groups === undefined) return undefined;
  return { name: groups['name'] ?? '', port: groups['port'] === undefined ? undefined : Number(groups['port']) };
}
