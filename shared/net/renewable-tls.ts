/** A `ServerTls` whose certificates can be replaced while listeners use it: handshakes that begin afterwards show the new ones, connections that stand are not touched. */
import type * as tls from 'node:tls';
import type { ChooseByName, HandshakeOptions, ListenerTls, ServerTls } from './server-tls.ts';

export class RenewableServerTls implements ServerTls {
  #current: ServerTls;
  readonly #servers = new Set<tls.Server>();
  readonly #variants: { readonly own: ListenerTls; readonly variant: RenewableServerTls }[] = [];
  readonly #choose: ChooseByName = (name, chosen) => {
    const { handshake: { SNICallback: choose }, context } = this.#current;
    if (choose === undefined) chosen(null, context);
    else choose(name, chosen);
  };

  constructor(first: ServerTls) {
    this.#current = first;
  }

  get options(): ServerTls['options'] {
    return { ...this.#current.options, SNICallback: this.#choose };
  }

  get handshake(): HandshakeOptions {
    return this.#current.handshake;
  }

  get context(): tls.SecureContext {
    return this.#current.context;
  }

  get requestCertificate(): 'yes' | 'no' {
    return this.#current.requestCertificate;
  }

  get maxChainDepth(): number | undefined {
    return this.#current.maxChainDepth;
  }

  /** It is renewed along with this one. */
  varied(own: ListenerTls): ServerTls {
    const variant = new RenewableServerTls(this.#current.varied(own));
    this.#variants.push({ own, variant });
    return variant;
  }

  follow(server: tls.Server): void {
    this.#servers.add(server);
    server.once('close', () => this.#servers.delete(server));
  }

  renew(next: ServerTls): void {
    this.#current = next;
    for (const server of this.#servers) server.setSecureContext(this.options);
    for (const { own, variant } of this.#variants) variant.renew(next.varied(own));
  }
}
