/** Sign-in, sign-out and the renewal of the cookie, for browsers that come without a front-end, and the front-end's own question at a sign-in. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { TLSSocket } from 'node:tls';
import { z } from 'zod';
import { Failure, isFailure } from '../../shared/base/failure.ts';
import { newSessionId } from '../../shared/base/session-id.ts';
import { readJson } from '../../shared/http/body.ts';
import type { Exchange } from '../../shared/http/http-service.ts';
import { sendJson } from '../../shared/http/refusals.ts';
import { clientSpeaksTls } from '../../shared/net/socket-client.ts';
import { clearedSetCookie, renewedSession, sessionSetCookie } from '../../shared/session-cookie/session-cookie.ts';
import type { SessionClaims } from '../../shared/session-cookie/session-cookie.ts';
import { epochHeader } from '../../shared/session-cookie/session-headers.ts';
import type { Account } from '../storage/storage.ts';
import type { CallSession } from './call.ts';
import type { Visitor } from './visitor.ts';
import type { WebmailListener, WebmailOptions } from './webmail.ts';
import { countForAccount } from '../../shared/reporting/account-counts.ts';

const maxSignInBytes = 8 * 1024;
/** Sign-ins of one client under way; more are guesses. */
const maxAtOnce = 4;

const credentials = z.strictObject({ name: z.string().min(1).max(320), password: z.string().min(1).max(1024) });

const passwordOnly = credentials.pick({ password: true });

export class SignIns {
  readonly #options: WebmailOptions;
  readonly #underWay = new Map<string, number>();

  constructor(options: WebmailOptions) {
    this.#options = options;
  }

  /** A front-end has checked the password, or sends it to be checked: it gets the account's epoch. Anybody else has to give a name and a password. */
  async signIn({ request, response, log }: Exchange<WebmailListener>, visitor: Visitor): Promise<void> {
    if (visitor.by === 'frontend') {
      const opened = await this.#openFor(request, visitor.address);
      response.setHeader(epochHeader, String(opened.sessionEpoch));
      log.info({ account: opened.address, session: visitor.session, client: visitor.client }, 'signed in at a front-end');
      countForAccount(opened.address, 'logins');
      sendJson(response, 200, { address: opened.address });
      return;
    }
    if (!(request.socket instanceof TLSSocket) && !clientSpeaksTls(request.socket)) throw new Failure('privacy-required', 'Sign in over https only.');
    const given = credentials.safeParse(await readJson(request, maxSignInBytes));
    if (!given.success) throw new Failure('bad-input', 'Give an address and a password.');
    const account = await this.#guarded(visitor.client, async () => this.#options.accounts.login({ ...given.data, service: 'webmail', asker: 'client' }));
    const nowMs = Date.now();
    const claims = { address: account.address, epoch: account.sessionEpoch, session: newSessionId(), signedInAtMs: nowMs, seenAtMs: nowMs };
    this.#setCookie(response, claims);
    log.info({ account: account.address, session: claims.session }, 'signed in');
    countForAccount(account.address, 'logins');
    sendJson(response, 200, { address: account.address });
  }

  async signOut({ response, log }: Exchange<WebmailListener>, visitor: Visitor): Promise<void> {
    if (visitor.by === 'cookie') log.info({ account: visitor.address, session: visitor.session }, 'signed out');
    response.setHeader('set-cookie', clearedSetCookie);
    sendJson(response, 200, {});
    return Promise.resolve();
  }

  /** Makes the session younger, where that is due. */
  renew(response: ServerResponse, claims: SessionClaims): void {
    const renewed = renewedSession(claims, this.#options.ages, Date.now());
    if (renewed !== undefined) this.#setCookie(response, renewed);
  }

  /** The cookie of a front-end's user is the front-end's: it hears of a new epoch, and knows what that means for its cookie. */
  sessionOf({ response }: Pick<Exchange<WebmailListener>, 'response'>, user: Exclude<Visitor, { by: 'nobody' }>): CallSession {
    const guarded = async <T>(work: () => Promise<T>): Promise<T> => this.#guarded(user.client, work);
    if (user.by === 'cookie') {
      return { guarded, goOn: (epoch) => this.#setCookie(response, { ...user.claims, epoch }), end: () => response.setHeader('set-cookie', clearedSetCookie) };
    }
    const tell = (epoch: number): void => void response.setHeader(epochHeader, String(epoch));
    return { guarded, goOn: tell, end: tell };
  }

  #setCookie(response: ServerResponse, claims: SessionClaims): void {
    response.setHeader('set-cookie', sessionSetCookie(claims, this.#options.cookieSecret, this.#options.ages));
  }

  async #openFor(request: IncomingMessage, address: string): Promise<Account> {
    const { accounts } = this.#options;
    if (Number(request.headers['content-length'] ?? 0) === 0) return accounts.open(address, 'webmail');
    const given = passwordOnly.safeParse(await readJson(request, maxSignInBytes));
    if (!given.success) throw new Failure('bad-input', 'Give a password, or nothing.');
    return accounts.login({ name: address, password: given.data.password, service: 'webmail', asker: 'frontend' });
  }

  async #guarded<T>(client: string, work: () => Promise<T>): Promise<T> {
    const underWay = this.#underWay.get(client) ?? 0;
    if (underWay >= maxAtOnce) throw new Failure('limit', 'Too many sign-ins at once. Try again in a moment.');
    this.#underWay.set(client, underWay + 1);
    try {
      return await work();
    } catch (error) {
      if (isFailure(error, 'bad-credentials')) await sleep(this.#options.limits.loginFailureDelayMs);
      throw error;
    } finally {
      const left = (this.#underWay.get(client) ?? 1) - 1;
      if (left === 0) this.#underWay.delete(client);
      else this.#underWay.set(client, left);
    }
  }
}
