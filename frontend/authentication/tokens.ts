/** Which tokens are good here, and whose address they bear: issuers with their keys, which are read again when they change. */
import * as fs from 'node:fs/promises';
import { Failure } from '../../shared/base/failure.ts';
import type { Logger } from '../../shared/log/log.ts';
import { isSigned, readKeySet, readToken } from './json-web-token.ts';
import type { Claims, SigningKey } from './json-web-token.ts';

export interface TokenIssuer {
  /** Must be the token's `iss`, letter by letter. */
  readonly issuer: string;
  /** Must be among the token's `aud`. */
  readonly audience: string;
  /** A JSON Web Key Set. */
  readonly keysFile: string;
  /** The claim that holds the user's address. */
  readonly addressClaim: string;
  /** Must be among the token's scopes. */
  readonly requiredScope?: string | undefined;
}

export interface TokensOptions {
  readonly issuers: readonly TokenIssuer[];
  readonly log: Logger;
  /** Milliseconds since 1970; the system's by default. */
  readonly wallClock?: (() => number) | undefined;
}

export type TokenVerdict = { readonly kind: 'good'; readonly address: string } | { readonly kind: 'refused'; readonly reason: string };

/** How far clocks may be apart. */
const skewSeconds = 60;
/** How often a file is looked at, at most. */
const checkIntervalMs = 1000;

export class Tokens {
  readonly #issuers: ReadonlyMap<string, { readonly issuer: TokenIssuer; readonly keys: KeysFile }>;
  readonly #wallClock: () => number;
  /** To tell clients, where all issuers want the same. */
  readonly scope: string | undefined;

  constructor({ issuers, log, wallClock }: TokensOptions) {
    this.#issuers = new Map(issuers.map((issuer) => [issuer.issuer, { issuer, keys: new KeysFile(issuer.keysFile, log) }]));
    this.#wallClock = wallClock ?? Date.now;
    const scopes = new Set(issuers.map(({ requiredScope }) => requiredScope));
    this.scope = scopes.size === 1 ? [...scopes][0] : undefined;
  }

  /** @throws Failure('directory-unavailable') when the issuer's keys were never readable: no reason to call a token bad */
  async check(text: string): Promise<TokenVerdict> {
    const token = readToken(text);
    if (token === undefined) return refused('not a signed token');
    const known = this.#issuers.get(token.claims.iss);
    if (known === undefined) return refused('unknown issuer');
    if (!isSigned(token, await known.keys.current())) return refused('not signed by a key of the issuer');
    const fault = faultOf(token.claims, known.issuer, this.#wallClock() / 1000);
    if (fault !== undefined) return refused(fault);
    const address = token.claims[known.issuer.addressClaim];
    return typeof address === 'string' && address !== '' ? { kind: 'good', address } : refused('no address in it');
  }
}

/** What is wrong with the claims of a token that is genuine (RFC 7519 section 4.1). */
function faultOf(claims: Claims, wanted: TokenIssuer, nowSeconds: number): string | undefined {
  if (nowSeconds >= claims.exp + skewSeconds) return 'expired';
  if (claims.nbf !== undefined && nowSeconds < claims.nbf - skewSeconds) return 'not valid yet';
  if (![claims.aud].flat().includes(wanted.audience)) return 'for another audience';
  const scopes = [claims.scope ?? [], claims.scp ?? []].flat().flatMap((scope) => scope.split(' '));
  if (wanted.requiredScope !== undefined && !scopes.includes(wanted.requiredScope)) return 'without the scope required';
  if (wanted.addressClaim === 'email' && (claims.email_verified === false || claims.email_verified === 'false')) return 'its address is not verified';
  return undefined;
}

function refused(reason: string): TokenVerdict {
  return { kind: 'refused', reason };
}

/** A file of keys; while it is faulty or away, the last good keys stay in use. */
class KeysFile {
  readonly #path: string;
  readonly #log: Logger;
  #keys: readonly SigningKey[] | undefined;
  #version = '';
  #nextCheck = 0;
  #checking: Promise<void> | undefined;

  constructor(path: string, log: Logger) {
    this.#path = path;
    this.#log = log.child({ path });
  }

  async current(): Promise<readonly SigningKey[]> {
    if (this.#checking === undefined && performance.now() >= this.#nextCheck) {
      this.#checking = this.#check().finally(() => {
        this.#checking = undefined;
        this.#nextCheck = performance.now() + checkIntervalMs;
      });
    }
    await this.#checking;
    if (this.#keys === undefined) throw new Failure('directory-unavailable', 'Tokens can\'t be checked now. Try again later.');
    return this.#keys;
  }

  async #check(): Promise<void> {
    try {
      const { mtimeNs, ctimeNs, size, ino } = await fs.stat(this.#path, { bigint: true });
      const version = [mtimeNs, ctimeNs, size, ino].join('-');
      if (version === this.#version) return;
      this.#keys = readKeySet(await fs.readFile(this.#path, 'utf8'));
      this.#version = version;
    } catch (error) {
      this.#log.error({ err: error }, 'the keys of a token issuer can\'t be read; the last good ones stay in use');
    }
  }
}
