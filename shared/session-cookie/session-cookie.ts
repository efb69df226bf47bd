/**
 * The WebMail cookie: who signed in and when, signed with a secret that all nodes share, so that any node can check it and
 * none has to remember it. Pure: front-ends and back-ends issue, read and renew cookies with these functions.
 */
import { readSignedValue, signValue } from './signed-value.ts';
import type { SigningKey } from './signed-value.ts';

/** What the cookie says. Times are milliseconds since 1970. */
export interface SessionClaims {
  /** Canonical address. */
  readonly address: string;
  /** The account's epoch at sign-in; the back-end refuses a session of another epoch. */
  readonly epoch: number;
  /** Follows the session through every log. */
  readonly session: string;
  readonly signedInAtMs: number;
  /** When the user last did something, in steps of a tenth of the idle age. */
  readonly seenAtMs: number;
}

/** How long a session lasts. */
export interface SessionAges {
  /** Silence after which it is over. */
  readonly idleMs: number;
  /** Age at which it is over in any case. */
  readonly absoluteMs: number;
}

/** `__Host-` makes browsers insist on Secure, Path=/ and no Domain (RFC 6265bis section 4.1.3.2). */
export const cookieName = '__Host-waybill';

/** Clocks of nodes may differ by so much. */
const clockSkewMs = 60_000;

/** The cookie's value: claims and their HMAC-SHA256, both base64url. */
export function signSession(claims: SessionClaims, secret: Buffer): string {
  return signValue(claims, keyOf(secret));
}

/** The claims of a value that we signed and that is neither idle nor old; otherwise undefined. */
export function verifySession(value: string, check: { readonly secret: Buffer; readonly ages: SessionAges; readonly nowMs: number }): SessionClaims | undefined {
  const { secret, ages, nowMs } = check;
  const claims = readSignedValue(value, keyOf(secret));
  return isClaims(claims) && isCurrent(claims, ages, nowMs) ? claims : undefined;
}

type SessionTimes = Pick<SessionClaims, 'seenAtMs' | 'signedInAtMs'>;

/** Neither idle nor old, nor from the future. */
export function isCurrent({ seenAtMs, signedInAtMs }: SessionTimes, ages: SessionAges, nowMs: number): boolean {
  return seenAtMs <= nowMs + clockSkewMs && nowMs - seenAtMs < ages.idleMs && nowMs - signedInAtMs < ages.absoluteMs;
}

/** Claims to put into a new cookie when the user is active and the old one has aged a little; otherwise undefined. */
export function renewedSession<Claims extends SessionTimes>(claims: Claims, ages: SessionAges, nowMs: number): Claims | undefined {
  return nowMs - claims.seenAtMs > ages.idleMs / 10 ? { ...claims, seenAtMs: nowMs } : undefined;
}

/** The session cookie's value in a Cookie header (RFC 6265 section 4.2); undefined when there is none. */
export function findSessionCookie(header: string | undefined): string | undefined {
  const pair = header?.split(';').map((each) => each.trim()).find((each) => each.startsWith(`${cookieName}=`));
  return pair?.slice(cookieName.length + 1);
}

/** A Set-Cookie value that keeps the session until its absolute age, unless the browser is closed for good before. */
export function sessionSetCookie(claims: SessionClaims, secret: Buffer, ages: SessionAges): string {
  const seconds = Math.max(1, Math.floor((claims.signedInAtMs + ages.absoluteMs - claims.seenAtMs) / 1000));
  return `${cookieName}=${signSession(claims, secret)}; Path=/; Max-Age=${String(seconds)}; Secure; HttpOnly; SameSite=Strict`;
}

/** A Set-Cookie value that ends the session in this browser. */
export const clearedSetCookie = `${cookieName}=; Path=/; Max-Age=0; Secure; HttpOnly; SameSite=Strict`;

function keyOf(secret: Buffer): SigningKey {
  return { secret, purpose: 'waybill session 1' };
}

function isClaims(value: unknown): value is SessionClaims {
  return typeof value === 'object' && value !== null
    && 'address' in value && typeof value.address === 'string'
    && 'session' in value && typeof value.session === 'string'
    && 'epoch' in value && typeof value.epoch === 'number'
    && 'signedInAtMs' in value && typeof value.signedInAtMs === 'number'
    && 'seenAtMs' in value && typeof value.seenAtMs === 'number';
}
