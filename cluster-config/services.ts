/** The services of front-ends and back-ends: their listeners and limits. */
import { z } from 'zod';
import { loginParameters, passwordParameters } from './authentication.ts';
import { connThreads, listenerBasics, listenerClientCertificates, listenerIdle, listenerTls, serviceAccess } from './connectivity.ts';
import { capabilityPollSeconds, connectionParameters, keptConnections, mappingParameters, mappingPort, maxConnectionsPerBackend, rwTimeoutSeconds } from './proxy-parameters.ts';
import { fileName, host, needsRestart, network, port, wholeNumber } from './values.ts';

const enable = z.boolean().default(true).describe('Whether the service runs; without listeners it accepts nothing.');
const maxErrors = wholeNumber({ min: 1, max: 1000 }).default(10).describe('Wrong commands in one session before it is cut.');
const maxAuthErrors = wholeNumber({ min: 1, max: 100 }).default(3).describe('Failed logins in one session before it is cut.');
const maxConnectionsPerUser = wholeNumber({ min: 1, max: 1_000_000 }).default(50).describe('Sessions of one user at the same time; a few more get through when they begin at several worker processes.');
const releasePerSecond = wholeNumber({ min: 1, max: 100_000 }).default(50).describe('Connections a second to a back-end that was down, for each worker process, until it has been back for half a minute.');
const loginTimeoutSeconds = wholeNumber({ min: 5, max: 3600 }).default(60).describe('From the connection to a successful login.');

function idleTimeoutSeconds(seconds: number): z.ZodDefault<z.ZodNumber> {
  return wholeNumber({ min: 5, max: 86_400 }).default(seconds);
}

const tls = z.enum(['implicit', 'starttls', 'none']).default('starttls').describe('TLS from the first byte, on request, or not at all.');
const httpTls = z.enum(['implicit', 'none']).default('implicit').describe('HTTPS, or HTTP without TLS.');
const trusted = z.boolean().default(false).describe('Nodes of this cluster, known by their certificates, may act for users here; needs tls: implicit. The service\'s rules and the limits it has for each peer do not hold: a front-end comes for many.');

const sessionListener = { ...listenerBasics, ...listenerIdle, ...listenerTls };
const plainListener = z.strictObject({ ...sessionListener, ...listenerClientCertificates, tls });
const nodeListener = z.strictObject({ ...sessionListener, tls, trusted });
const httpListener = z.strictObject({ ...sessionListener, tls: httpTls, trusted });
const proxyMailListener = z.strictObject({ ...sessionListener, ...listenerClientCertificates, tls, kind: z.enum(['mx', 'submission']).describe('Mail from other servers, or from users who log in.') });
const mailListener = z.strictObject({ ...sessionListener, tls, trusted, kind: z.enum(['lmtp', 'mx', 'submission']).describe('Mail from our front-ends, from other servers, or from users who log in.') });

function listeners<Listener extends z.ZodType>(listener: Listener): z.ZodDefault<z.ZodArray<Listener>> {
  return z.array(listener).max(64).default([]).describe('Where the service accepts connections; an address stands here once.') as z.ZodDefault<z.ZodArray<Listener>>;
}

const namespaceLevel = z.string().regex(/^[\x21-\x7e](?:[\x20-\x7e]{0,98}[\x21-\x7e])?$/, 'is no name of a folder').refine((name) => !/[/%*]/.test(name) && name.toUpperCase() !== 'INBOX', 'is no name of a folder at the first level');

const messageLimits = {
  maxMessageKilobytes: wholeNumber({ min: 1, max: 4_194_304 }).default(51_200).describe('Largest message.'),
  maxRecipients: wholeNumber({ min: 1, max: 10_000 }).default(1000).describe('Recipients of one message.'),
};

const maxHeaderKilobytes = wholeNumber({ min: 16, max: 65_536 }).default(1024).describe('Largest header section of a message; one that has more is refused. Searches look into the first megabyte.');

const smtpProxy = z
  .strictObject({
    enable, listeners: listeners(proxyMailListener), maxErrors, maxAuthErrors, ...serviceAccess, ...messageLimits,
    idleTimeoutSeconds: idleTimeoutSeconds(300).describe('Silence after which a session is cut (RFC 5321 section 4.5.3.2.7).'),
    ...connectionParameters,
    ...loginParameters,
    ...mappingParameters,
    mappingPort,
  })
  .prefault({})
  .describe('SMTP of a front-end: mail from outside, and from users.');

const imapProxy = z
  .strictObject({
    enable, listeners: listeners(plainListener), maxErrors, maxAuthErrors, ...serviceAccess, loginTimeoutSeconds,
    idleTimeoutSeconds: idleTimeoutSeconds(1860).describe('Silence after which a session is cut; the standard asks for 30 minutes at least (RFC 3501 section 5.4).'),
    ...connectionParameters,
    rwTimeoutSeconds: rwTimeoutSeconds(20),
    maxConnectionsPerBackend,
    ...keptConnections,
    releasePerSecond,
    capabilityPollSeconds,
    ...loginParameters,
    ...mappingParameters,
    mappingPort: port.default(993).describe('The port at `mappingHost`, and of a mailHost that is not a node and names none.'),
  })
  .prefault({})
  .describe('IMAP of a front-end.');

const pop3Proxy = z
  .strictObject({
    enable, listeners: listeners(plainListener), maxErrors, maxAuthErrors, ...serviceAccess, loginTimeoutSeconds,
    idleTimeoutSeconds: idleTimeoutSeconds(660).describe('Silence after which a session is cut; the standard asks for 10 minutes at least (RFC 1939 section 3).'),
    ...connectionParameters,
    rwTimeoutSeconds: rwTimeoutSeconds(20),
    maxConnectionsPerBackend,
    ...keptConnections,
    releasePerSecond,
    capabilityPollSeconds,
    ...loginParameters,
    ...mappingParameters,
    mappingPort: port.default(995).describe('The port at `mappingHost`, and of a mailHost that is not a node and names none.'),
  })
  .prefault({})
  .describe('POP3 of a front-end.');

/** The same for front-ends, which sign users in, and for back-ends, where they may sign in directly. */
const webmailSession = {
  sessionIdleTimeoutSeconds: wholeNumber({ min: 60, max: 604_800 }).default(1200).describe('Silence after which a user has to sign in again.'),
  sessionActivityTimeoutSeconds: wholeNumber({ min: 60, max: 2_592_000 }).default(86_400).describe('How long a user stays signed in at most.'),
};

const webmailProxy = z
  .strictObject({
    enable, listeners: listeners(z.strictObject({ ...sessionListener, tls: httpTls })), ...serviceAccess,
    idleTimeoutSeconds: idleTimeoutSeconds(120).describe('How long a connection without requests stays open.'),
    ...passwordParameters,
    allowClearTextLogin: z.boolean().default(false).describe('Whether users may sign in over HTTP without TLS. That a load balancer speaks HTTPS with the browser counts as TLS where its word is trusted.'),
    ...webmailSession,
    ...connectionParameters,
    rwTimeoutSeconds: rwTimeoutSeconds(60),
    ...mappingParameters,
    mappingPort,
    backendConnections: wholeNumber({ min: 1, max: 10_000 }).default(32).describe('Connections to one back-end that requests may have at the same time, for each worker process; they are kept for the next ones. Streams of news have their own.'),
    requestsQueueMaxSize: wholeNumber({ min: 1, max: 100_000 }).default(100).describe('Requests that may wait for a connection to one back-end, for each worker process; further ones are refused (503).'),
    requestsQueueTimeoutSeconds: wholeNumber({ min: 1, max: 600 }).default(10).describe('How long a request may wait for a connection to its back-end before it is refused (503).'),
    forwardedFrom: z.array(network).max(1000).default([]).describe('Load balancers that speak HTTP with us, as networks: what they say of clients in X-Forwarded-For, -Proto and -Host counts, and nobody else\'s word.'),
    httpBodyMaxKilobytes: wholeNumber({ min: 1, max: 4_194_304 }).default(71_680).describe('Largest request body.'),
  })
  .prefault({})
  .describe('WebMail of a front-end.');

const smtpReceiving = z
  .strictObject({
    enable, listeners: listeners(mailListener), maxErrors, maxAuthErrors, ...serviceAccess, ...connThreads, ...messageLimits,
    idleTimeoutSeconds: idleTimeoutSeconds(300).describe('Silence after which a session is cut (RFC 5321 section 4.5.3.2.7).'),
    maxHeaderKilobytes,
    maxReceivedHeaders: wholeNumber({ min: 1, max: 999 }).default(30).describe('Received fields of a message that is going round in circles.'),
  })
  .prefault({})
  .describe('SMTP and LMTP of a back-end.');

const processing = z
  .strictObject({
    enable: z.boolean().default(true).describe('Whether the queue is worked on.'),
    queueDirectory: needsRestart(
      fileName().optional().describe('The folder of the queue; `queue` beside the first storage when absent.'),
      'mail that waits in the old folder must be moved while nobody works on it',
    ),
    deliveryThreads: wholeNumber({ min: 1, max: 1000 }).default(20).describe('Deliveries at the same time.'),
    filteringThreads: wholeNumber({ min: 1, max: 64 }).default(1).describe('Messages that are looked into at the same time: worker processes that stand ready for it at least, as each looks into one at a time.'),
    schedIntervalSeconds: wholeNumber({ min: 1, max: 86_400 }).default(300).describe('Wait before the first retry; it doubles with each.'),
    maxSchedIntervalSeconds: wholeNumber({ min: 1, max: 604_800 }).default(28_800).describe('Longest wait between retries.'),
    maxRetryCount: wholeNumber({ min: 0, max: 1000 }).default(20).describe('Retries before the sender is told that delivery failed.'),
  })
  .prefault({})
  .describe('The queue of a back-end.');

const route = z.strictObject({
  domain: z.string().min(1).describe('A recipient domain, or * for all that no other route names.'),
  host: host.describe('The server that takes its mail.'),
  port: port.default(25).describe('The port there.'),
  tls: z.enum(['none', 'opportunistic', 'required']).default('opportunistic').describe('Never, where offered, or only with a certificate that checks.'),
});

const smtpSending = z
  .strictObject({
    enable: z.boolean().default(true).describe('Whether mail is sent to other servers.'),
    routes: z.array(route).max(10_000).default([]).describe('Domains whose mail goes to a given server instead of its MX.'),
    maxConnections: wholeNumber({ min: 1, max: 10_000 }).default(20).describe('Connections to other servers at the same time.'),
    connectTimeoutSeconds: wholeNumber({ min: 1, max: 600 }).default(30).describe('How long a connection to another server may take.'),
    idleTimeoutSeconds: idleTimeoutSeconds(300).describe('How long another server may take for a reply (RFC 5321 section 4.5.3.2).'),
  })
  .prefault({})
  .describe('Sending of a back-end to other servers.');

const imap = z
  .strictObject({
    enable, listeners: listeners(nodeListener), maxErrors, maxAuthErrors, ...serviceAccess, ...connThreads, maxConnectionsPerUser, loginTimeoutSeconds,
    idleTimeoutSeconds: idleTimeoutSeconds(1860).describe('Silence after which a session is cut; the standard asks for 30 minutes at least (RFC 3501 section 5.4).'),
    maxMessageKilobytes: messageLimits.maxMessageKilobytes,
    maxHeaderKilobytes,
    adminContact: z.string().regex(/^[A-Za-z][A-Za-z0-9+.-]*:[!-~]{1,500}$/).optional().describe('How users reach the administrator, as a URI: `mailto:`, `tel:`, `https:`. Mail programs read it as the annotation `/shared/admin` of the server (RFC 5464).'),
    serverComment: z.string().min(1).max(1000).optional().describe('What mail programs read as the annotation `/shared/comment` of the server (RFC 5464).'),
    otherUsersNamespace: namespaceLevel.default('Other Users').describe('The first level of the names of folders that other users share; an own folder of that name can\'t be reached. Clients remember names: don\'t change it without need.'),
    publicNamespace: namespaceLevel.default('Public Folders').describe('The first level of the names of public folders.'),
  })
  .prefault({})
  .describe('IMAP of a back-end.');

const pop3 = z
  .strictObject({
    enable, listeners: listeners(nodeListener), maxErrors, maxAuthErrors, ...serviceAccess, ...connThreads, maxConnectionsPerUser, loginTimeoutSeconds,
    idleTimeoutSeconds: idleTimeoutSeconds(660).describe('Silence after which a session is cut; the standard asks for 10 minutes at least (RFC 1939 section 3).'),
    exclusiveLock: z.boolean().default(false).describe('Whether a mailbox is open by POP3 once at a time, over all workers: who comes second is told that it is in use. A client whose line broke holds it until `idleTimeoutSeconds` are over.'),
    loginDelaySeconds: wholeNumber({ min: 0, max: 86_400 }).default(0).describe('From one login of a user by POP3 to the next, over all workers and front-ends; who comes sooner is refused (LOGIN-DELAY, RFC 2449). `domainSettings` may say otherwise for a domain. 0: no wait; where nobody waits nothing of it is announced.'),
    expireDays: wholeNumber({ min: 0, max: 36_500 }).optional().describe('How long messages that were read stay in INBOX: when a POP3 session ends with QUIT, those that it was shown, that were retrieved or are seen, and that have been there for so many days are removed for good. 0: whatever the session retrieved is removed. Never when absent (EXPIRE, RFC 2449). Needs `retrievedIsSeen`, except for 0.'),
    retrievedIsSeen: z.boolean().default(true).describe('Whether a message that was retrieved by POP3 is seen in IMAP and WebMail, too.'),
  })
  .prefault({})
  .describe('POP3 of a back-end.');

const webmail = z
  .strictObject({
    enable, listeners: listeners(httpListener), ...serviceAccess, ...connThreads, maxAuthErrors,
    idleTimeoutSeconds: idleTimeoutSeconds(120).describe('How long a connection without requests stays open.'),
    ...webmailSession,
    uploadMaxKilobytes: wholeNumber({ min: 1, max: 4_194_304 }).default(25_600).describe('Largest attachment.'),
    httpBodyMaxKilobytes: wholeNumber({ min: 1, max: 4_194_304 }).default(71_680).describe('Largest request body.'),
  })
  .prefault({})
  .describe('WebMail of a back-end.');

const admin = z
  .strictObject({
    enable, listeners: listeners(z.strictObject(listenerBasics)), ...serviceAccess, maxConnections: serviceAccess.maxConnections.default(1000),
    observers: z.array(network).max(1000).default([]).describe('Who, besides this machine, is told without login by `/healthz`, `/readyz` and `/metrics`, as networks: load balancers, Prometheus.'),
  })
  .prefault({})
  .describe('The admin API: HTTPS, for the nodes of the cluster and for this machine.');

export const frontendServices = { smtpProxy, imapProxy, pop3Proxy, webmailProxy };
export const backendServices = { smtpReceiving, processing, smtpSending, imap, pop3, webmail };

export const servicesParameters = {
  services: z.strictObject({ ...frontendServices, ...backendServices, admin }).prefault({}).describe('The services with their listeners and limits.'),
};
