/** Starts the services by which users read their mail (IMAP, POP3, WebMail) from the node's configuration. */
import type { ConnectionOptions } from 'node:tls';
import { pop3LoginDelays } from '../cluster-config/domain-settings.ts';
import type { NodeConfig } from '../cluster-config/effective.ts';
import type { Doors } from '../cluster-config/listeners.ts';
import { enabled, placeOf, tcpPlaces, tlsOf } from '../cluster-config/listeners.ts';
import type { NodeTls } from '../cluster-config/node-tls.ts';
import type { NodeContext } from '../cluster-config/run-node.ts';
import { httpLimits, languageChoice, readCookieSecret, sessionAges, uiDirectory } from '../cluster-config/webmail-settings.ts';
import { Maildrops } from '../shared/access/maildrop-desk.ts';
import { UserSessions } from '../shared/access/user-sessions.ts';
import type { ListenPlace } from '../shared/net/listen-place.ts';
import type { ServerTls } from '../shared/net/server-tls.ts';
import type { Service } from '../shared/service/service.ts';
import { startTogether } from '../shared/service/service-rack.ts';
import type { Unit } from '../shared/service/service-rack.ts';
import type { Accounts } from './accounts/accounts.ts';
import { startImap } from './imap/imap.ts';
import { startPop3 } from './pop3/pop3.ts';
import type { Sharing } from './sharing/sharing.ts';
import type { Storage } from './storage/storage.ts';
import type { TextAnswers } from './text-index/text-index.ts';
import { startWebmail } from './webmail/webmail.ts';
import type { Submit } from './webmail/webmail.ts';

/** What all services of a back-end stand on. */
export interface Ground {
  readonly context: NodeContext;
  readonly config: NodeConfig;
  readonly doors: Doors;
  readonly tls: NodeTls;
  readonly storage: Storage;
  readonly accounts: Accounts;
  readonly sharing: Sharing;
  readonly texts: TextAnswers;
  /** Whose certificates count among mail hosts that are no nodes. */
  readonly foreignTrust: ConnectionOptions;
}

/** How long a back-end waits before it answers a failed login; users come through front-ends, which slow guesses down themselves. */
const loginFailureDelayMs = 1000;

/** All enabled ones that have listeners. */
export function mailAccessUnits(ground: Ground, submit: Submit): readonly Unit[] {
  const { imap, pop3, webmail } = ground.config.services;
  const { siblings } = ground.context;
  const imapSessions = new UserSessions({ max: imap.maxConnectionsPerUser, topic: 'imap sessions', siblings });
  const pop3Sessions = new UserSessions({ max: pop3.maxConnectionsPerUser, topic: 'pop3 sessions', siblings });
  const maildrops = new Maildrops({ siblings, lock: pop3.exclusiveLock ? 'exclusive' : 'shared', loginDelays: pop3LoginDelays(ground.config) });
  return [
    ...unitOf('imap', byAudience(imap, ground.tls), async (part) => startImapFor(ground, part, imapSessions)),
    ...unitOf('pop3', byAudience(pop3, ground.tls), async (part) => startPop3For(ground, part, { userSessions: pop3Sessions, maildrops })),
    ...unitOf('webmail', byAudience(webmail, ground.tls), async (part) => startWebmailFor(ground, part, submit)),
  ];
}

interface Part<Listener> {
  readonly listeners: readonly Listener[];
  readonly serverTls: ServerTls;
}

/** A service of the parts that it has for nodes and for clients; none without parts. */
export function unitOf<P extends { readonly listeners: readonly { readonly address: string }[] }>(name: string, parts: readonly P[], start: (part: P) => Promise<Service>): readonly Unit[] {
  if (parts.length === 0) return [];
  const places = parts.flatMap(({ listeners }) => tcpPlaces(listeners));
  return [{ name, per: 'worker', places, start: async () => startTogether(parts.map((part) => async () => start(part))) }];
}

/** Listeners for nodes show the node's certificate, all others the one for clients: one service for each kind, if enabled. */
export function byAudience<Listener extends { readonly trusted: boolean; readonly enable: boolean }>(
  service: { readonly enable: boolean; readonly listeners: readonly Listener[] },
  tls: NodeTls,
): readonly Part<Listener>[] {
  if (!service.enable) return [];
  const listeners = enabled(service.listeners);
  return [
    { listeners: listeners.filter(({ trusted }) => trusted), serverTls: tls.forNodes },
    { listeners: listeners.filter(({ trusted }) => !trusted), serverTls: tls.forClients },
  ].filter(({ listeners }) => listeners.length > 0);
}

type MailListener = NodeConfig['services']['imap']['listeners'][number];
type WebListener = NodeConfig['services']['webmail']['listeners'][number];

function lineListeners(ground: Ground, service: 'imap' | 'pop3', { listeners, serverTls }: Part<MailListener>): readonly (ListenPlace & { readonly tls: 'implicit' | 'starttls'; readonly trusted: 'yes' | 'no' })[] {
  return listeners.map((listener) => ({
    ...placeOf(ground, service, listener),
    serverTls: tlsOf(listener, serverTls),
    tls: listener.tls === 'implicit' ? 'implicit' : 'starttls',
    trusted: listener.trusted ? 'yes' : 'no',
  }));
}

function sessionLimits(service: NodeConfig['services']['imap'] | NodeConfig['services']['pop3']) {
  return {
    maxErrors: service.maxErrors,
    maxAuthErrors: service.maxAuthErrors,
    loginFailureDelayMs,
    loginTimeoutMs: service.loginTimeoutSeconds * 1000,
    idleTimeoutMs: service.idleTimeoutSeconds * 1000,
  };
}

async function startImapFor(ground: Ground, part: Part<MailListener>, userSessions: UserSessions): Promise<Service> {
  const { config, tls, storage, accounts, context, texts } = ground;
  const service = config.services.imap;
  return startImap({
    listeners: lineListeners(ground, 'imap', part),
    serverTls: part.serverTls,
    slots: ground.doors.slots.imap,
    accounts, storage, userSessions, texts,
    sharing: ground.sharing,
    hints: context.hints,
    log: context.log,
    isTrustedNode: tls.isTrustedNode,
    limits: { ...sessionLimits(service), maxMessageBytes: service.maxMessageKilobytes * 1024, maxHeaderBytes: service.maxHeaderKilobytes * 1024 },
    serverAnnotations: { admin: service.adminContact, comment: service.serverComment },
  });
}

async function startPop3For(ground: Ground, part: Part<MailListener>, counts: { readonly userSessions: UserSessions; readonly maildrops: Maildrops }): Promise<Service> {
  const { config, tls, accounts, context } = ground;
  const { expireDays, retrievedIsSeen } = config.services.pop3;
  return startPop3({
    listeners: lineListeners(ground, 'pop3', part),
    serverTls: part.serverTls,
    slots: ground.doors.slots.pop3,
    accounts, ...counts,
    policy: { retrieved: retrievedIsSeen ? 'seen' : 'as before', expireDays },
    preferredLanguage: config.defaultLanguage,
    hints: context.hints,
    log: context.log,
    isTrustedNode: tls.isTrustedNode,
    limits: sessionLimits(config.services.pop3),
  });
}

async function startWebmailFor(ground: Ground, { listeners, serverTls }: Part<WebListener>, submit: Submit): Promise<Service> {
  const { config, tls, accounts, context } = ground;
  const { webmail, smtpReceiving } = config.services;
  return startWebmail({
    listeners: listeners.map((listener) => ({ ...placeOf(ground, 'webmail', listener), serverTls: tlsOf(listener, serverTls), tls: listener.tls, trusted: listener.trusted ? 'yes' : 'no' })),
    serverTls, accounts, submit, uiDirectory,
    slots: ground.doors.slots.webmail,
    hints: context.hints,
    log: context.log,
    isTrustedNode: tls.isTrustedNode,
    cookieSecret: await readCookieSecret(config, context.environment),
    ages: sessionAges(webmail),
    language: languageChoice(config),
    limits: {
      ...httpLimits,
      idleTimeoutMs: webmail.idleTimeoutSeconds * 1000,
      maxBodyBytes: webmail.httpBodyMaxKilobytes * 1024,
      maxUploadBytes: webmail.uploadMaxKilobytes * 1024,
      maxMessageBytes: smtpReceiving.maxMessageKilobytes * 1024,
      maxRecipients: smtpReceiving.maxRecipients,
      loginFailureDelayMs,
    },
  });
}
