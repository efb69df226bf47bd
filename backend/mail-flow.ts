/** Starts the services through which mail comes and goes (receiving, queue, sending) from the node's configuration. */
import type { NodeConfig } from '../cluster-config/effective.ts';
import { localDomains } from '../cluster-config/effective.ts';
import { placeOf, tlsOf } from '../cluster-config/listeners.ts';
import { Failure } from '../shared/base/failure.ts';
import { createDnr, defaultDnrOptions } from '../shared/dnr/dnr.ts';
import type { Dnr } from '../shared/dnr/dnr.ts';
import type { Language } from '../shared/language/language.ts';
import { TlsSessions } from '../shared/net/connect.ts';
import type { ConnectOptions } from '../shared/net/connect.ts';
import type { Unit } from '../shared/service/service-rack.ts';
import { defaultSmtpLimits } from '../shared/smtp/limits.ts';
import type { SmtpLimits } from '../shared/smtp/limits.ts';
import { byAudience, unitOf } from './mail-access.ts';
import type { Ground } from './mail-access.ts';
import { otherBackends } from './other-nodes.ts';
import { askingOthers, createProcessing, defaultRetryOptions } from './processing/processing.ts';
import type { Processing } from './processing/processing.ts';
import { queueDirectoryOf } from './queue-directory.ts';
import { receivedField, startSmtpReceiving } from './smtp-receiving/smtp-receiving.ts';
import { createSmtpSending } from './smtp-sending/smtp-sending.ts';
import type { SmtpSending } from './smtp-sending/smtp-sending.ts';
import type { Submit } from './webmail/webmail.ts';

/** Opens the node's queue with everything that works it off; nothing runs yet. */
export function openProcessing(ground: Ground): Processing {
  const { config, storage, accounts, context, tls } = ground;
  const { processing } = config.services;
  return createProcessing({
    storage, accounts,
    siblings: context.siblings,
    queueDirectory: queueDirectoryOf(config),
    clusterName: config.clusterName,
    reserveBytes: config.storage.reserveMegabytes * 1024 * 1024,
    nodeName: config.nodeName,
    hostName: config.serverName,
    primaryDomain: config.primaryDomain,
    isOurDomain: ourDomains(config),
    lmtpOf: lmtpTargets(ground),
    sending: sendingOf(ground),
    askOthers: askingOthers(otherBackends(config, tls)),
    languagesFor: async (sender) => languagesFor(ground, sender),
    retry: {
      ...defaultRetryOptions,
      refused: { firstDelayMs: processing.schedIntervalSeconds * 1000, maxDelayMs: processing.maxSchedIntervalSeconds * 1000 },
      maxRetries: processing.maxRetryCount,
    },
    maxLanes: processing.deliveryThreads,
    log: context.log,
  });
}

/** Our users are told in the language of their entry, others in ours and in English. An outage of the directory delays no report. */
async function languagesFor({ config, accounts }: Ground, sender: string): Promise<readonly [Language, ...Language[]]> {
  const { defaultLanguage } = config;
  if (!ourDomains(config)(sender.slice(sender.lastIndexOf('@') + 1).toLowerCase())) return defaultLanguage === 'en' ? ['en'] : [defaultLanguage, 'en'];
  const entry = await accounts.lookUp(sender).catch(() => undefined);
  return [entry?.language ?? defaultLanguage];
}

/** The listeners on which mail comes in, where there are any. */
export function receivingUnits(ground: Ground, processing: Processing): readonly Unit[] {
  const { config, tls, accounts, context } = ground;
  const service = config.services.smtpReceiving;
  return unitOf('smtpReceiving', byAudience(service, tls), async ({ listeners, serverTls }) =>
    startSmtpReceiving({
      listeners: listeners.map((listener) => ({ ...placeOf(ground, 'smtpReceiving', listener), serverTls: tlsOf(listener, serverTls), kind: listener.kind })),
      serverTls, accounts, processing,
      slots: ground.doors.slots.smtpReceiving,
      hostName: config.serverName, primaryDomain: config.primaryDomain,
      isOurDomain: ourDomains(config),
      isTrustedNode: tls.isTrustedNode,
      limits: smtpLimits(service),
      maxHeaderBytes: service.maxHeaderKilobytes * 1024,
      maxReceivedHeaders: service.maxReceivedHeaders,
      greetingDelayMs: 0,
      log: context.log,
    }));
}

function smtpLimits(service: NodeConfig['services']['smtpReceiving']): SmtpLimits {
  return {
    ...defaultSmtpLimits,
    maxMessageBytes: service.maxMessageKilobytes * 1024,
    maxRecipients: service.maxRecipients,
    maxErrors: service.maxErrors,
    maxAuthErrors: service.maxAuthErrors,
    idleTimeoutMs: service.idleTimeoutSeconds * 1000,
  };
}

function ourDomains(config: NodeConfig): (domain: string) => boolean {
  const domains = new Set(localDomains(config));
  return (domain) => domains.has(domain);
}

/** How the queue reaches the trusted LMTP listeners of the other back-ends. */
function lmtpTargets({ config, tls }: Ground): (node: string) => ConnectOptions | undefined {
  const sessions = new TlsSessions();
  return (node) => {
    const entry = Object.hasOwn(config.nodes, node) ? config.nodes[node] : undefined;
    const port = entry?.endpoints.lmtp;
    if (entry === undefined || port === undefined) return undefined;
    return { host: entry.host, port, tls: tls.toNode(node), sessions, timeoutMs: config.services.smtpSending.connectTimeoutSeconds * 1000 };
  };
}

function sendingOf({ config, context, foreignTrust }: Ground): SmtpSending {
  const { smtpSending } = config.services;
  return createSmtpSending({
    hostName: config.serverName,
    dnr: dnrOf(config),
    routes: smtpSending.routes,
    foreign: { ...config.foreignBackends.mail, tlsOptions: foreignTrust },
    port: 25,
    connectTimeoutMs: smtpSending.connectTimeoutSeconds * 1000,
    timeouts: {},
    log: context.log,
  });
}

function dnrOf({ dnr }: NodeConfig): Dnr {
  return createDnr({
    ...defaultDnrOptions,
    nameServers: dnr.nameservers.length === 0 ? undefined : dnr.nameservers,
    timeoutMs: dnr.timeoutSeconds * 1000,
    tries: dnr.retries + 1,
    cacheEntries: Math.max(1, dnr.cacheSize),
  });
}

/** WebMail's way to send: unknown local recipients are told at once, everything else is the queue's. */
export function submitter({ config, accounts }: Ground, processing: Processing): Submit {
  const isOurDomain = ourDomains(config);
  return async (envelope, source, session) => {
    const domainOf = (address: string): string => address.slice(address.lastIndexOf('@') + 1).toLowerCase();
    if (envelope.recipients.some((recipient) => !isOurDomain(domainOf(recipient)))) await accounts.permit(envelope.from, 'relay');
    for (const recipient of envelope.recipients) {
      const domain = domainOf(recipient);
      if (isOurDomain(domain) && (await accounts.lookUp(recipient)) === undefined) throw new Failure('unknown-user', `there is no user ${recipient}`);
    }
    const hop = { hello: undefined, address: undefined, by: config.serverName, protocol: 'HTTPS', id: session.id, recipient: undefined };
    const { id, settle } = await processing.enqueue(
      {
        sender: { address: envelope.from },
        trace: receivedField(hop, Date.now()),
        bytes: source,
        maxBytes: config.services.smtpReceiving.maxMessageKilobytes * 1024,
        handedOver: undefined,
      },
      envelope.recipients.map((address) => ({ address })),
    );
    settle('confirmed');
    return id;
  };
}
