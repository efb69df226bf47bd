/** Who decides who lives where: LDAP connectors, user maps, and how routes are kept. */
import { z } from 'zod';
import { groups } from './addressing.ts';
import { guessing, oauth, scramIterations, scramTypes } from './authentication.ts';
import { serverDefaults } from './server-defaults.ts';
import { domainName, fileName, host, objectName, onMiss, port, secret, wholeNumber } from './values.ts';

const attributeName = z.string().regex(/^[A-Za-z][A-Za-z0-9-]*$/, 'is not the name of an LDAP attribute');

const attributes = z
  .strictObject({
    address: attributeName.optional().describe('The user\'s address. By default `mail`.'),
    alias: attributeName.optional().describe('Further addresses of the user. By default `mailLocalAddress`; of Active Directory `proxyAddresses`, whose values are read without their `smtp:`.'),
    password: attributeName.optional().describe('The password, for maps of type ldapPassword. By default `userPassword`.'),
    host: attributeName.optional().describe('The back-end that keeps the mailbox: a node\'s name or host, or any HOST or HOST:PORT. By default `mailHost`; of Active Directory `msDS-cloudExtensionAttribute1`.'),
    status: attributeName.optional().describe('Whether the account is in use: `active` (also when it is missing), `noaccess` (nobody logs in, mail is taken), `disabled` (neither) or `deleted`, as qmail\'s `accountStatus`. `account disable` and `delete` write it. By default no attribute says so.'),
    services: attributeName.optional().describe('What the account may be used for, one value for each: `smtp`, `imap`, `pop3`, `webmail`, `submission`, `relay`; everything when it is missing. Often `mailEnabledService`. By default no attribute says so.'),
    quotaBytes: attributeName.optional().describe('How many bytes of mail the account may hold; a number that may bear a unit, such as `500M`; 0 for no limit. It counts before the limits of domain and server, after `account quota`. A change counts once the account is used, or gets mail, `routing.positiveAgeSeconds` after it was last asked for. Often `mailQuotaSize`. By default no attribute says so.'),
    quotaMessages: attributeName.optional().describe('How many messages the account may hold; 0 for no limit. Often `mailQuotaCount`. By default no attribute says so.'),
    language: attributeName.optional().describe('The user\'s languages, the best first, such as `de` or `de-AT, en;q=0.8` (RFC 2798). By default `preferredLanguage`.'),
    routingAddress: attributeName.optional().describe('Where mail for the user is forwarded. By default `mailRoutingAddress`; of Active Directory `msDS-cloudExtensionAttribute2`.'),
  })
  .prefault({})
  .describe('Names of the attributes that entries are read by.');

const ldapUri = z.string().regex(/^ldaps?:\/\/[^/@\s]+$/, 'must be ldap://HOST[:PORT] or ldaps://HOST[:PORT]');

const write = z
  .strictObject({
    uri: ldapUri.describe('The server that takes changes: the provider, where there are replicas.'),
    bindDn: z.string().min(1).describe('Who may change the host attribute and the passwords of users.'),
    bindPassword: secret.describe('The password of `bindDn`.'),
  })
  .optional()
  .describe('Where the directory takes changes: hosts of accounts that move, and passwords. Without it hosts are changed by hand, users change their own passwords at the first of `uris`, and nobody resets others\'.');

const ldapConnector = z.strictObject({
  name: objectName.describe('The name user maps refer to.'),
  serverType: z.enum(['openldap', 'activeDirectory']).default('openldap').describe('What kind of directory it is: `openldap` (also the embedded directory and most others) or `activeDirectory` (also Samba). It decides the defaults of patterns and attribute names, and how passwords are changed.'),
  uris: z.array(ldapUri).min(1).max(5).describe('Directory servers in the order in which they are tried.'),
  bindDn: z.string().min(1).optional().describe('Who searches; anonymous when absent.'),
  bindPassword: secret.optional().describe('The password of `bindDn`.'),
  startTls: z.boolean().default(false).describe('Begin TLS on ldap:// connections; the server\'s certificate is always checked.'),
  ca: fileName().optional().describe('PEM file: authorities trusted for the directory\'s certificate, instead of the system\'s.'),
  searchBase: z.string().min(1).describe('The entry below which users are searched.'),
  searchScope: z.enum(['base', 'one', 'sub']).default('sub').describe('How far below the search base.'),
  searchPattern: z.string().min(1).optional().describe(`LDAP filter that finds a user: %e is the address, %u its local part, %d its domain, %% a per cent sign. By default \`${serverDefaults.openldap.searchPattern}\`; of Active Directory \`${serverDefaults.activeDirectory.searchPattern}\`.`),
  write,
  severalMatches: z.enum(['refuse', 'first']).default('refuse').describe('What it means when several entries match: a temporary error, or the first counts.'),
  attributes,
  groups,
  timeoutSeconds: wholeNumber({ min: 1, max: 600 }).default(4).describe('How long the directory may take for an answer.'),
  connections: wholeNumber({ min: 1, max: 100 }).default(4).describe('Connections kept by each worker process.'),
});

const mapDomains = z.array(domainName).optional().describe('The domains this map is asked for; all when absent.');

const userMap = z.discriminatedUnion('type', [
  z.strictObject({
    type: z.literal('ldapBind').describe('Passwords are checked by binding as the user.'),
    name: objectName.describe('The map\'s name, without blanks.'),
    connector: objectName.describe('The LDAP connector it asks.'),
    domains: mapDomains,
  }),
  z.strictObject({
    type: z.literal('ldapPassword').describe('The password attribute is fetched and compared.'),
    name: objectName.describe('The map\'s name, without blanks.'),
    connector: objectName.describe('The LDAP connector it asks.'),
    domains: mapDomains,
    scram: scramTypes,
  }),
  z.strictObject({
    type: z.literal('localFile').describe('Addresses and regular expressions in a file.'),
    name: objectName.describe('The map\'s name, without blanks.'),
    file: fileName('The file: one line for each entry.'),
    domains: mapDomains,
  }),
]);

const routing = z
  .strictObject({
    mappingHost: host.optional().describe('The default back-end, a node\'s name or any host: used when there is no user map, and on a miss where `onMiss` says so.'),
    onMiss: onMiss.default('refuse').describe('An address that no map knows: refuse it, or send it to `mappingHost`.'),
    positiveAgeSeconds: wholeNumber({ min: 0, max: 86_400 }).default(60).describe('How long a route found is used without asking again.'),
    negativeAgeSeconds: wholeNumber({ min: 0, max: 3600 }).default(5).describe('How long an unknown address is remembered.'),
    staleAgeSeconds: wholeNumber({ min: 0, max: 604_800 }).default(3600).describe('How long a route found goes on being used while no directory answers.'),
    verifierAgeSeconds: wholeNumber({ min: 0, max: 604_800 }).default(3600).describe('How long after a successful login its password is accepted while no directory answers; 0 for never.'),
    maxEntries: wholeNumber({ min: 1, max: 10_000_000 }).default(100_000).describe('Routes remembered by each worker process.'),
  })
  .prefault({})
  .describe('How front-ends keep what the user maps say.');

const masterUser = z.strictObject({
  user: z.string().min(1).max(255).describe('Its name there.'),
  password: secret.describe('Its password.'),
  separator: z.string().min(1).max(8).optional().describe('Log in as USER, separator, master user (`user*master`); by SASL PLAIN with the user as authorisation id when absent.'),
});

const proxyProtocol = z.enum(['none', 'v1', 'v2']).default('none');

const foreignBackends = z
  .strictObject({
    tls: z.enum(['implicit', 'starttls', 'none']).default('implicit').describe('TLS from the first byte, on request, or not at all: IMAP and POP3.'),
    ca: fileName().optional().describe('PEM file: authorities trusted for their certificates, instead of the system\'s.'),
    verify: z.boolean().default(true).describe('Whether their certificates are checked.'),
    proxyProtocol: proxyProtocol.describe('Whether connections begin with a PROXY header of that version, which names the client: IMAP and POP3. A server that expects one takes no connection without it.'),
    mail: z
      .strictObject({
        port: port.default(25).describe('The port for a mailHost that names none.'),
        protocol: z.enum(['smtp', 'lmtp']).default('smtp').describe('What is spoken there.'),
        tls: z.enum(['none', 'opportunistic', 'required']).default('opportunistic').describe('STARTTLS: never, where offered, or only with a certificate that checks.'),
        proxyProtocol: proxyProtocol.describe('The same for mail. What comes from a queue names no client.'),
      })
      .prefault({})
      .describe('How they get mail, from front-ends and from the queues of back-ends: set it for the whole cluster.'),
    masterUser: masterUser.optional().describe('A user who may log in there as anybody; the user\'s own name and password are passed through when absent.'),
  })
  .prefault({})
  .describe('Servers of other kinds (Dovecot, Cyrus, Exchange …) that a mailHost names: hosts that are no nodes.');

export const directoryParameters = {
  ldapConnectors: z.array(ldapConnector).max(100).default([]).describe('Ways to LDAP directories.'),
  userMaps: z.array(userMap).max(100).default([]).describe('Asked in this order: who is this, and which back-end keeps the mailbox?'),
  routing,
  foreignBackends,
  oauth,
  scramIterations,
  guessing,
};
