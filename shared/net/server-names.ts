/** Which certificate a client gets by the name it asks for (SNI, RFC 6066 section 3). Pure. */
import type { X509Certificate } from 'node:crypto';

/** The host names a certificate is for, in lower case: those of its subjectAltName, or its common name where it has none (RFC 9525 section 2). */
export function namesOf(certificate: X509Certificate): readonly string[] {
  const alternative = [...(certificate.subjectAltName ?? '').matchAll(/DNS:([^,\s"]+)/g)].map(([, name = '']) => name.toLowerCase());
  if (alternative.length > 0) return alternative;
  const common = /^CN=(\S+)$/m.exec(certificate.subject)?.[1];
  return common === undefined ? [] : [common.toLowerCase()];
}

/** A table of names, whole (`mail.example.com`) or with a wildcard for one label at the front (`*.example.com`, RFC 9525 section 6.3). */
export class NameTable<Value> {
  readonly #byName = new Map<string, Value>();

  /** The first value given for a name keeps it. */
  constructor(entries: readonly { readonly names: readonly string[]; readonly value: Value }[]) {
    for (const { names, value } of entries) {
      for (const name of names) if (!this.#byName.has(name.toLowerCase())) this.#byName.set(name.toLowerCase(), value);
    }
  }

  /** Whole names go before wildcards. A name may end in a dot. */
  find(name: string): Value | undefined {
    const wanted = name.toLowerCase().replace(/\.$/, '');
    return this.#byName.get(wanted) ?? this.#byName.get(wanted.replace(/^[^.]+/, '*'));
  }
}
