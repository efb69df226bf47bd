/** Generic server parameters: names, processes, log, TLS, name resolution. */
import { z } from 'zod';
import { languages } from '../shared/language/language.ts';
import { addressPlaces } from '../shared/tls/certificate-addresses.ts';
import { access } from './connectivity.ts';
import { acme } from './acme/acme-parameters.ts';
import { authorityKey } from './joining/authority-parameters.ts';
import { logParameters } from './log.ts';
import { domainName, fileName, host, hostAndPort, network, secret, timeZone, virtualHostName, wholeNumber } from './values.ts';
import { reportingParameters } from './reporting.ts';

const virtualHost = z.strictObject({
  names: z.array(virtualHostName).max(1000).default([]).describe('Host names; those in the certificate when empty.'),
  certificate: fileName('PEM file: the certificate shown, with its chain.'),
  key: fileName('PEM file: the private key of `certificate`.'),
  acme: z.boolean().default(false).describe('Whether `certificate` and `key` are kept by ACME, for `names`: see `tls.acme`.'),
  primaryDomain: domainName.optional().describe('The domain that completes names without one which users give to WebMail under these host names; the general one when absent.'),
});

const userCertificates = z
  .strictObject({
    authority: fileName('PEM file: the authorities that sign users\' certificates; never that of the cluster.'),
    revocationList: fileName().optional().describe('PEM file: revocation lists (CRL), one of each authority; who stands in one, or whose authority has none or an outdated one, can\'t log in by certificate. Looked at every ten seconds, as all files of `tls` are.'),
    addressFrom: z.array(z.enum(addressPlaces)).min(1).default(['subjectAltName']).describe('Where in a certificate the user\'s address is looked for, in this order.'),
  })
  .optional()
  .describe('Users may log in to IMAP, POP3 and submission by a certificate of theirs (SASL EXTERNAL): front-ends ask for one. Without it nobody is asked.');

const tls = z
  .strictObject({
    certificate: fileName().optional().describe('PEM file: the certificate shown to clients, with its chain.'),
    key: fileName().optional().describe('PEM file: the private key of `certificate`.'),
    virtualHosts: z.array(virtualHost).max(1000).default([]).describe('Further certificates, for clients that ask for one of their host names (SNI): for every listener with TLS that shows `certificate`, which the others get.'),
    warnDays: wholeNumber({ min: 1, max: 365 }).default(14).describe('Certificates in use that end within so many days are told of: in the log, by /readyz and in /metrics.'),
    ca: fileName().optional().describe('PEM file: authorities trusted, beside the system\'s, when mail is sent to other servers.'),
    acme,
    userCertificates,
    clusterAuthority: fileName().optional().describe('PEM file: the certificate of the cluster\'s own authority, by which nodes know each other.'),
    authorityKey,
    nodeCertificate: fileName().optional().describe('PEM file: the certificate by which other nodes know this one (O = cluster, OU = role, CN = node).'),
    nodeKey: fileName().optional().describe('PEM file: the private key of `nodeCertificate`.'),
  })
  .prefault({})
  .describe('Certificates and keys.');

const dnr = z
  .strictObject({
    nameservers: z.array(hostAndPort).max(10).default([]).describe('Name servers in the order in which they are asked, as IP:PORT; those of the operating system when empty.'),
    timeoutSeconds: wholeNumber({ min: 1, max: 60 }).default(2).describe('How long one name server may take for an answer.'),
    retries: wholeNumber({ min: 0, max: 10 }).default(3).describe('How often a question is asked again.'),
    cacheSize: wholeNumber({ min: 0, max: 1_000_000 }).default(1000).describe('Answers remembered for each type of record.'),
  })
  .prefault({})
  .describe('The domain name resolver.');

/** The parameters of the manual's generic part, flat in every layer. */
export const genericParameters = {
  primaryDomain: domainName.describe('The domain that completes user names and recipients without one, greets where a node has no name, and sends generated mail (postmaster@).'),
  domains: z.array(domainName).max(10_000).default([]).describe('Further local domains, whose mail is ours; the primary domain always is.'),
  serverName: host.optional().describe('The name by which this node greets, says HELO and signs what it receives; when absent the node\'s host, or the primary domain where that is an address.'),
  sslRandomFile: fileName().optional().describe('A file whose first bytes are mixed, beside the system\'s randomness, into the secrets made here, and seed the generator for certificates. Read when a worker process starts; a file that is missing or empty is an error. A device such as /dev/hwrng will do.'),
  defaultTimeZone: timeZone.default('UTC').describe('The time zone of dates in the header of mail that is made or received here, by its IANA name, such as Europe/Vienna.'),
  defaultLanguage: z.enum(languages).default('en').describe('The language of texts for users who want no other: WebMail, delivery reports, the daily report. `en` English, `de` German.'),
  autodetectLanguage: z.boolean().default(true).describe('Whether WebMail speaks the language that the browser asks for (Accept-Language), where the user\'s entry names none (`ldapConnectors[].attributes.language`).'),
  caBundle: fileName().optional().describe('PEM file: the authorities that are trusted, instead of those that come with Node, wherever we connect with TLS and no other parameter names authorities.'),
  proxyProtocolFrom: z.array(network).max(1000).default([]).describe('Load balancers, as networks: who connects from there must send a PROXY header (version 1 or 2), nobody else may. Holds for every listener that names no others, except those that only nodes reach (trusted, admin).'),
  trustProxyTls: z.boolean().default(false).describe('Whether a load balancer\'s word that it speaks TLS with the client (PP2_TYPE_SSL) counts as TLS, so that users may log in.'),
  trustedProxies: z.array(network).max(1000).default([]).describe('Mail proxies in front of this one (another tier, a Dovecot), as networks: what they tell of their clients\' addresses and session ids is believed, by ID for IMAP, XCLIENT for POP3 and SMTP. Nobody else\'s is.'),
  access,
  loopbackOnly: z.boolean().default(false).describe('Refuse listeners that other machines could reach; for trials.'),
  workers: wholeNumber({ min: 1, max: 256 }).default(2).describe('Worker processes of a node.'),
  drainSeconds: wholeNumber({ min: 0, max: 3600 }).default(10).describe('How long a stopping node waits for its sessions to finish.'),
  retireSeconds: wholeNumber({ min: 0, max: 604_800 }).default(86_400).describe('How long sessions that began before a change of the configuration may go on; they keep the parameters they began with.'),
  hangSeconds: wholeNumber({ min: 5, max: 86_400 }).default(30).describe('A worker process that gives no sign of life for so long (an endless loop, a blocked call) is killed, and another is started.'),
  cookieSecret: secret.optional().describe('Signs the WebMail cookies; the same on all nodes.'),
  log: logParameters,
  reporting: reportingParameters,
  tls,
  dnr,
};
