/**
 * The server's side of SCRAM-SHA-1 and SCRAM-SHA-256, also with channel binding (RFC 5802, RFC 7677). Pure: messages in,
 * messages out; the keys of the user who is named come from the caller in between.
 */
import { createHash, createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import { Failure } from '../base/failure.ts';
import { decodeBase64 } from './mechanisms.ts';
import { hashOf } from './scram-keys.ts';
import type { ScramKeys, ScramMechanism } from './scram-keys.ts';

/** Channel bindings of this connection by their registered names (`tls-exporter`); none without TLS of our own. */
export type ChannelBindings = ReadonlyMap<string, Buffer>;

export interface ScramServerOptions {
  readonly mechanism: ScramMechanism;
  /** The client chose the variant -PLUS. */
  readonly plus: 'yes' | 'no';
  /** Those with which -PLUS was offered; when there are some, a client that could have used them must have. */
  readonly bindings: ChannelBindings;
  /** Our part of the nonce: printable characters without comma. Random by default. */
  readonly nonce?: string | undefined;
}

/** Octets of any message; ours and those of sane clients are far shorter. */
const longestMessage = 4096;
const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
/** RFC 5802 section 7, client-first-message; extensions that begin with `m=` are mandatory, and we know none. */
const clientFirst = /^(?<header>(?:(?<flag>[ny])|p=(?<binding>[A-Za-z0-9.-]+)),(?:a=(?<authorisation>[^,]*))?,)(?<bare>n=(?<user>[^,]+),r=(?<nonce>[\x21-\x2b\x2d-\x7e]+)(?:,[A-Za-z]=[^,]+)*)$/u;
const clientFinal = /^(?<unproven>c=(?<binding>[^,]+),r=(?<nonce>[^,]+)(?:,[A-Za-z]=[^,]+)*),p=(?<proof>[^,]+)$/u;

interface Begun {
  /** What `c=` has to hold: the header, and the channel's data. */
  readonly binding: Buffer;
  readonly bare: string;
  readonly clientNonce: string;
}

interface Challenged {
  readonly keys: ScramKeys;
  readonly nonce: string;
  readonly messages: string;
}

/** One exchange: `first`, `challenge`, `finish`, each once. They throw Failure `bad-input` for what is no SCRAM message. */
export class ScramServer {
  readonly #options: ScramServerOptions;
  #begun: Begun | undefined;
  #challenged: Challenged | undefined;

  constructor(options: ScramServerOptions) {
    this.#options = options;
  }

  /** Takes client-first-message. @throws Failure `bad-credentials` when the channel binding was tampered with */
  first(response: Buffer): { readonly user: string; readonly authorisationId: string | undefined } {
    const { flag, binding, header, bare, user, nonce, authorisation } = clientFirst.exec(textOf(response))?.groups ?? {};
    if (this.#begun !== undefined || header === undefined || bare === undefined || user === undefined || nonce === undefined) throw malformed();
    const data = this.#bindingData(flag, binding);
    this.#begun = { binding: Buffer.concat([Buffer.from(header), data]), bare, clientNonce: nonce };
    return {
      user: plainName(user),
      // Some clients send an empty one, though the grammar wants none at all then.
      authorisationId: (authorisation ?? '') === '' ? undefined : plainName(authorisation ?? ''),
    };
  }

  /** Makes server-first-message. */
  challenge(keys: ScramKeys): Buffer {
    if (this.#begun === undefined) throw malformed();
    const nonce = this.#begun.clientNonce + (this.#options.nonce ?? randomBytes(18).toString('base64'));
    const message = `r=${nonce},s=${keys.salt.toString('base64')},i=${String(keys.iterations)}`;
    this.#challenged = { keys, nonce, messages: `${this.#begun.bare},${message}` };
    return Buffer.from(message);
  }

  /** Takes client-final-message; answers server-final-message, or undefined when the client has not proven the password. */
  finish(response: Buffer): Buffer | undefined {
    const { unproven, binding, nonce, proof } = clientFinal.exec(textOf(response))?.groups ?? {};
    const [begun, challenged] = [this.#begun, this.#challenged];
    this.#challenged = undefined;
    if (begun === undefined || challenged === undefined) throw malformed();
    if (unproven === undefined || binding === undefined || nonce === undefined || proof === undefined) throw malformed();
    const [told, proven] = [decodeBase64(binding), decodeBase64(proof)];
    if (told === undefined || proven === undefined) throw malformed();
    if (!same(told, begun.binding) || !same(Buffer.from(nonce), Buffer.from(challenged.nonce))) return undefined;
    const hash = hashOf(this.#options.mechanism);
    const { storedKey, serverKey } = challenged.keys;
    const messages = `${challenged.messages},${unproven}`;
    const signature = createHmac(hash, storedKey).update(messages).digest();
    if (proven.length !== signature.length) return undefined;
    const clientKey = signature.map((octet, at) => octet ^ (proven[at] ?? 0));
    if (!same(createHash(hash).update(clientKey).digest(), storedKey)) return undefined;
    return Buffer.from(`v=${createHmac(hash, serverKey).update(messages).digest('base64')}`);
  }

  /** RFC 5802 section 6: `y` means that the client saw no -PLUS in our offer; where there was one, somebody removed it. */
  #bindingData(flag: string | undefined, name: string | undefined): Buffer {
    const { plus, bindings } = this.#options;
    if (name === undefined) {
      if (plus === 'yes') throw malformed();
      if (flag === 'y' && bindings.size > 0) throw new Failure('bad-credentials', 'the offer of channel binding got lost on the way');
      return Buffer.alloc(0);
    }
    if (plus === 'no') throw malformed();
    const data = bindings.get(name);
    if (data === undefined) throw new Failure('bad-input', `no channel binding of type ${name} here`);
    return data;
  }
}

function textOf(message: Buffer): string {
  if (message.length > longestMessage) throw malformed();
  try {
    return utf8.decode(message);
  } catch (cause) {
    throw new Failure('bad-input', 'malformed SCRAM message', { cause });
  }
}

/** `=2C` is a comma and `=3D` an equals sign; no other one may stand there, nor NUL. */
function plainName(name: string): string {
  if (/=(?!2C|3D)/.test(name) || name.includes('\0')) throw malformed();
  return name.replaceAll('=2C', ',').replaceAll('=3D', '=');
}

function same(one: Buffer, other: Buffer): boolean {
  return one.length === other.length && timingSafeEqual(one, other);
}

function malformed(): Failure {
  return new Failure('bad-input', 'malformed SCRAM message');
}
