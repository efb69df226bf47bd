/**
 * Sign-ins of administrators as signed values, so that no node has to remember them and any of them takes those of the others:
 * a cookie for the page, a bearer token for scripts. Who signs out is remembered by all nodes until the value would have died by itself.
 */
import { createHash } from 'node:crypto';
import { z } from 'zod';
import { newSessionId } from '../base/session-id.ts';
import type { Notices } from '../service/notices.ts';
import { isCurrent, renewedSession } from '../session-cookie/session-cookie.ts';
import type { SessionAges } from '../session-cookie/session-cookie.ts';
import { readSignedValue, signValue } from '../session-cookie/signed-value.ts';
import type { SigningKey } from '../session-cookie/signed-value.ts';
import { SeenSignIns } from './seen-sign-ins.ts';
import type { SeenSignIn } from './seen-sign-ins.ts';
import type { AdministratorRecord } from './sign-in.ts';

const claimsSchema = z.object({
  kind: z.enum(['cookie', 'token']), name: z.string(), session: z.string(),
  /** Digest of what the sign-in was proven with: a new password or TOTP secret ends it. */
  proof: z.string(),
  signedInAtMs: z.number(), seenAtMs: z.number(),
});
export type AdminClaims = z.output<typeof claimsSchema>;

export interface AdminSessionsOptions {
  readonly secret: Buffer;
  readonly ages: SessionAges;
  /** How long a token serves. */
  readonly tokenMs: number;
  readonly find: (name: string) => AdministratorRecord | undefined;
  readonly notices: Notices;
}

/** See `cookieName` of the WebMail cookie for the prefix. */
export const adminCookieName = '__Host-waybill-admin';

const endedTopic = 'admin session ended';

export class AdminSessions {
  readonly #options: AdminSessionsOptions;
  readonly #key: SigningKey;
  /** When each was ended, about the oldest first: other nodes may tell of older ones later. */
  readonly #ended = new Map<string, number>();
  readonly #seen: SeenSignIns;

  constructor(options: AdminSessionsOptions) {
    this.#options = options;
    this.#seen = new SeenSignIns(options.notices);
    this.#key = { secret: options.secret, purpose: 'waybill administrator 1' };
    options.notices.subscribe(endedTopic, ({ key, ageMs }) => this.#remember(key, Date.now() - ageMs));
  }

  begin(record: AdministratorRecord, kind: AdminClaims['kind'], nowMs: number): AdminClaims {
    return { kind, name: record.name, session: newSessionId(), proof: proofOf(record), signedInAtMs: nowMs, seenAtMs: nowMs };
  }

  sign(claims: AdminClaims): string {
    return signValue(claims, this.#key);
  }

  /** A Set-Cookie value. */
  cookie(claims: AdminClaims): string {
    const seconds = Math.max(1, Math.floor((claims.signedInAtMs + this.#options.ages.absoluteMs - claims.seenAtMs) / 1000));
    return `${adminCookieName}=${this.sign(claims)}; Path=/; Max-Age=${String(seconds)}; Secure; HttpOnly; SameSite=Strict`;
  }

  /** When it ends at the latest, without further signs of life for a token. */
  endMs(claims: AdminClaims): number {
    return claims.signedInAtMs + (claims.kind === 'token' ? this.#options.tokenMs : this.#options.ages.absoluteMs);
  }

  /** Who a value was given to, while it holds. */
  verify(value: string, kind: AdminClaims['kind'], nowMs: number): { readonly claims: AdminClaims; readonly record: AdministratorRecord } | undefined {
    const { find } = this.#options;
    const read = claimsSchema.safeParse(readSignedValue(value, this.#key));
    if (!read.success || read.data.kind !== kind || this.#ended.has(read.data.session)) return undefined;
    const holds = isCurrent(read.data, this.#agesOf(kind), nowMs);
    const record = holds ? find(read.data.name) : undefined;
    return record === undefined || proofOf(record) !== read.data.proof ? undefined : { claims: read.data, record };
  }

  #agesOf(kind: AdminClaims['kind']): SessionAges {
    const { ages, tokenMs } = this.#options;
    return kind === 'token' ? { idleMs: tokenMs, absoluteMs: tokenMs } : ages;
  }

  /** A request came with it from this address. */
  saw({ session, name, kind, signedInAtMs, seenAtMs }: AdminClaims, from: string, nowMs: number): void {
    this.#seen.note({ session, name, kind, from, signedInAtMs, seenAtMs, lastMs: nowMs });
  }

  /** Those that this node has seen and that still hold. */
  signedIn(nowMs: number): readonly SeenSignIn[] {
    return this.#seen.all().filter((one) => !this.#ended.has(one.session) && this.#options.find(one.name) !== undefined && isCurrent(one, this.#agesOf(one.kind), nowMs));
  }

  renewed(claims: AdminClaims, nowMs: number): AdminClaims | undefined {
    return renewedSession(claims, this.#options.ages, nowMs);
  }

  /** At this node; the other workers hear of it. Once is enough. */
  end(session: string, atMs: number): void {
    if (this.#ended.has(session)) return;
    this.#remember(session, atMs);
    this.#options.notices.post(endedTopic, session, true);
  }

  /** Those that are remembered. */
  ended(nowMs: number): readonly { readonly session: string; readonly agoMs: number }[] {
    return Array.from(this.#ended, ([session, endedMs]) => ({ session, agoMs: Math.max(0, nowMs - endedMs) }));
  }

  /** How many ended sessions are remembered. */
  get remembered(): number {
    return this.#ended.size;
  }

  /** Nothing is remembered longer than any sign-in could hold. */
  #remember(session: string, atMs: number): void {
    const { ages, tokenMs } = this.#options;
    const deadMs = atMs - Math.max(ages.absoluteMs, tokenMs);
    for (const [old, endedMs] of this.#ended) {
      if (endedMs > deadMs) break;
      this.#ended.delete(old);
    }
    this.#ended.set(session, atMs);
  }
}

export const clearedAdminCookie = `${adminCookieName}=; Path=/; Max-Age=0; Secure; HttpOnly; SameSite=Strict`;

/** The cookie's value in a Cookie header (RFC 6265 section 4.2). */
export function findAdminCookie(header: string | undefined): string | undefined {
  const pair = header?.split(';').map((each) => each.trim()).find((each) => each.startsWith(`${adminCookieName}=`));
  return pair?.slice(adminCookieName.length + 1);
}

function proofOf({ passwordHash, totpSecret }: AdministratorRecord): string {
  return createHash('sha256').update(`${passwordHash ?? ''}\0`).update(totpSecret ?? '').digest('base64url').slice(0, 16);
}
