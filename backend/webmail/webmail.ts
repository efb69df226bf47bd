/**
 * The WebMail of a back-end: an HTTPS API over the storage, and the page that uses it. Front-ends pass their users' requests
 * on to it; a browser may also come directly and sign in here. The wiring starts it.
 */
import { loadStaticFiles, serveStaticFile } from '../../shared/http/static-files.ts';
import type { StaticFiles } from '../../shared/http/static-files.ts';
import { serveHttp } from '../../shared/http/http-service.ts';
import type { Exchange, HttpLimits, HttpListener, HttpService, Upgrade } from '../../shared/http/http-service.ts';
import { isFailure } from '../../shared/base/failure.ts';
import { HttpRefusal } from '../../shared/http/refusals.ts';
import { answerLanguage, languagePath } from '../../shared/http/visitor-language.ts';
import type { LanguageChoice } from '../../shared/http/visitor-language.ts';
import { traceExchange } from '../../shared/http/traced-exchange.ts';
import { traceOf } from '../../shared/log/protocol-trace.ts';
import type { Logger } from '../../shared/log/log.ts';
import type { ServerTls } from '../../shared/net/server-tls.ts';
import type { HintBus } from '../../shared/service/service.ts';
import type { SessionAges } from '../../shared/session-cookie/session-cookie.ts';
import { activityOf } from '../../shared/http/same-site.ts';
import type { NodeIdentity } from '../../shared/tls/identity.ts';
import { CommandSlots, SessionSlot } from '../../shared/workers/command-slots.ts';
import type { Accounts } from '../accounts/accounts.ts';
import type { Account } from '../storage/storage.ts';
import { EventStreams } from './events.ts';
import { findRoute } from './router.ts';
import { apiRoutes, newsPath } from './routes.ts';
import { SignIns } from './sign-in.ts';
import { UploadBudget } from './upload-budget.ts';
import { readVisitor, signedIn } from './visitor.ts';
import type { Visitor } from './visitor.ts';

export type WebmailListener = HttpListener & {
  /** `yes`: front-ends ask here on behalf of users, by their node certificate. */
  readonly trusted: 'yes' | 'no';
};

export interface WebmailLimits extends HttpLimits {
  /** A whole request body. */
  readonly maxBodyBytes: number;
  /** All attachments of one message together. */
  readonly maxUploadBytes: number;
  readonly maxMessageBytes: number;
  readonly maxRecipients: number;
  /** How long the answer to a failed sign-in waits. */
  readonly loginFailureDelayMs: number;
}

/** Takes over responsibility for a message: resolves with its queue id when it is on its way, rejects with the Failure that says why not. */
export type Submit = (
  envelope: { readonly from: string; readonly recipients: readonly string[] },
  source: AsyncIterable<Buffer>,
  session: { readonly id: string; readonly client: string; readonly account: string },
) => Promise<string>;

export interface WebmailOptions {
  readonly listeners: readonly WebmailListener[];
  readonly serverTls: ServerTls;
  readonly accounts: Pick<Accounts, 'login' | 'open' | 'changePassword' | 'lookUp'>;
  readonly submit: Submit;
  /** In which requests of known users are worked on; any number at once when absent. */
  readonly slots?: CommandSlots | undefined;
  readonly hints: HintBus;
  readonly log: Logger;
  readonly limits: WebmailLimits;
  readonly language: LanguageChoice;
  readonly ages: SessionAges;
  /** Whether the configuration lists this node as one that may speak for users. */
  readonly isTrustedNode: (identity: NodeIdentity) => boolean;
  /** At least 32 bytes, the same on all nodes of the cluster. */
  readonly cookieSecret: Buffer;
  /** Where the built page lies. */
  readonly uiDirectory: string;
}

interface Room {
  readonly options: WebmailOptions;
  readonly files: StaticFiles;
  readonly streams: EventStreams;
  readonly signIns: SignIns;
  readonly uploads: UploadBudget;
  readonly slots: CommandSlots;
}

/** Opens the listeners. Rejects when a port can't be had or the page is not built. */
export async function startWebmail(given: WebmailOptions): Promise<HttpService> {
  const options = { ...given, log: given.log.child({ service: 'webmail' }) };
  const room: Room = {
    options,
    files: await loadStaticFiles(options.uiDirectory),
    streams: new EventStreams(options.hints),
    signIns: new SignIns(options),
    // Two of the largest, or many small ones.
    uploads: new UploadBudget({ bytes: 2 * options.limits.maxBodyBytes, largest: options.limits.maxBodyBytes }),
    slots: options.slots ?? new CommandSlots('webmail', Infinity),
  };
  const service = await serveHttp<WebmailListener>({
    name: 'webmail',
    listeners: options.listeners,
    serverTls: options.serverTls,
    requestCertificate: (listener) => listener.trusted,
    limits: options.limits,
    log: options.log,
    handle: async (exchange) => answer(room, exchange),
    upgrade: async (upgrade) => goOn(room, upgrade),
  });
  return {
    ...service,
    stop: async (graceMs) => {
      room.streams.stop();
      await service.stop(graceMs);
    },
  };
}

async function answer(room: Room, exchange: Exchange<WebmailListener>): Promise<void> {
  const { path, request, response } = exchange;
  if (!path.startsWith('/api/')) {
    if (serveStaticFile(room.files, path, exchange)) return;
    throw new HttpRefusal('no-such-thing', 'There is no such page.');
  }
  if (request.method === 'GET' && path === languagePath) return answerLanguage(exchange, room.options.language);
  const visitor = readVisitor(exchange, room.options);
  if (request.method === 'POST' && path === '/api/sign-in') return room.signIns.signIn(exchange, visitor);
  if (request.method === 'POST' && path === '/api/sign-out') return room.signIns.signOut(exchange, visitor);
  const { route, parameters } = findRoute(apiRoutes, request.method ?? '', path);
  const user = signedIn(visitor);
  const account = await openAccount(room, user);
  if (user.by === 'cookie' && activityOf(request) === 'user') room.signIns.renew(response, user.claims);
  const session = room.signIns.sessionOf(exchange, user);
  const tell = traceOf({ service: 'webmail', session: user.session, account: account.address });
  if (tell !== undefined) traceExchange(exchange, tell);
  const slot = new SessionSlot(room.slots);
  await slot.run(async () => route.run({
    exchange, parameters, account, session, origin: { client: user.client, session: user.session }, options: room.options, streams: room.streams, uploads: room.uploads,
    waitForClient: async (wait) => slot.without(wait),
  }));
}

/** WebSocket: for news only. */
async function goOn(room: Room, upgrade: Upgrade<WebmailListener>): Promise<void> {
  const visitor = readVisitor(upgrade, room.options);
  if (upgrade.path !== newsPath) throw new HttpRefusal('no-such-thing', 'There is no such page.');
  room.streams.speak(upgrade, await openAccount(room, signedIn(visitor)));
}

/** A session of another epoch than the account's was ended: signed out everywhere, or the mailbox was made anew. */
async function openAccount(room: Room, user: Exclude<Visitor, { by: 'nobody' }>): Promise<Account> {
  const account = await room.options.accounts.open(user.address, 'webmail').catch((error: unknown) => {
    if (!isFailure(error, 'account-disabled') && !isFailure(error, 'service-denied') && !isFailure(error, 'unknown-user')) throw error;
    throw new HttpRefusal('signed-out', error.message);
  });
  if (user.epoch !== undefined && user.epoch !== account.sessionEpoch) throw new HttpRefusal('signed-out', 'This session was ended. Please sign in again.');
  return account;
}
