/** Parameters of listeners: addresses, TLS, rules by address and the six limits, under the names that the manual gives them. */
import { z } from 'zod';
import { parseIpSet } from '../shared/access/ip-set.ts';
import { isFailure } from '../shared/base/failure.ts';
import { listenAddress, network, wholeNumber } from './values.ts';

const limit = wholeNumber({ min: 0, max: 1_000_000 });
const seconds = wholeNumber({ min: 1, max: 86_400 }).default(60);

/** The same for listeners, services and allow rules; 0 or absent is no limit. */
const flowLimits = {
  maxConnections: limit.optional().describe('Connections at the same time, over all workers of the node; 0 or absent: any number.'),
  timeInterval: seconds.describe('The window of `maxIntervalConnections`, in seconds; it slides.'),
  maxIntervalConnections: limit.optional().describe('New connections within `timeInterval`; 0 or absent: any number.'),
  peerMaxConnections: limit.optional().describe('Connections at the same time from one client address (IPv6: one network, `guessing.ipv6PrefixBits`); 0 or absent: any number.'),
  peerTimeInterval: seconds.describe('The window of `peerMaxIntervalConnections`, in seconds; it slides.'),
  peerMaxIntervalConnections: limit.optional().describe('New connections from one client address within `peerTimeInterval`; 0 or absent: any number.'),
};

const ipSet = z.string().refine(isIpSet, 'must be a set of IP addresses: 192.0.2.7, 192.0.2.1-192.0.2.20, 192.0.2.0/24, 192.0.2.0/255.255.255.0, 2001:db8::/32 or any').describe('The addresses it is about; a rule\'s key: a set stands once in a list.');
const priority = wholeNumber({ min: 0, max: 65_535 });
const rule = {
  ipSet,
  enable: z.boolean().default(true).describe('A rule that is switched off is kept, and counts for nothing.'),
  priority: priority.default(100).describe('The lowest number is the highest priority. An allow rule and a deny rule of the same priority: denied.'),
};

const mostRules = 1000;
const rules = {
  allowRules: z.array(z.strictObject({ ...rule, ...flowLimits })).max(mostRules).default([]).describe('Who is let in, as far as the limits of the rule go: for all its addresses together, and (peer…) for each.'),
  denyRules: z.array(z.strictObject(rule)).max(mostRules).default([]).describe('Who is cut off without a word.'),
};

function isIpSet(text: string): boolean {
  try {
    parseIpSet(text);
    return true;
  } catch (error) {
    if (isFailure(error, 'bad-input')) return false;
    throw error;
  }
}

/** For a service: what holds for all its listeners together. */
export const serviceAccess = {
  ...flowLimits,
  maxConnections: limit.default(10_000).describe('Connections at the same time, over all workers of the node; 0: any number.'),
  ...rules,
};

const most = 32_768;

/** For services whose commands work here. */
export const connThreads = {
  minConnThreads: wholeNumber({ min: 1, max: 256 }).default(1).describe('Worker processes that stand ready at least; the node has as many as the service that wants most, and `workers` at least.'),
  maxConnThreads: wholeNumber({ min: 1, max: most }).default(256).describe('Commands (WebMail: requests) at work at the same time, each worker process its part; further ones wait in their order, and their connections are not read.'),
};

/** For the whole node: asked where neither the listener nor the service has a rule. */
export const access = z.strictObject(rules).prefault({}).describe('Rules for all services of a node. A listener\'s rules win over its service\'s, those over these.');

/** For every listener, whatever it speaks. */
export const listenerBasics = {
  address: listenAddress.describe('Where it listens: IP:PORT ([::]:PORT takes IPv4, too), unix:/FILE, or systemd:NAME for a socket that systemd hands over under this name.'),
  enable: z.boolean().default(true).describe('A listener that is switched off is kept, and does not listen.'),
  ipv6Only: z.boolean().default(false).describe('Whether [::] takes IPv6 alone, beside a listener on 0.0.0.0.'),
  mode: z.string().regex(/^0?[0-7]{3}$/, 'must be access rights in octal, such as "0660"').default('0660').describe('Access rights of a Unix socket.'),
  proxyProtocolFrom: z.array(network).max(1000).optional().describe('Load balancers in front of this listener, instead of the general ones.'),
  ...flowLimits,
  ...rules,
  serviceRule: z
    .strictObject({
      enable: z.boolean().default(true).describe('Switched off: who matches no rule of the listener is let in, and the service\'s rules are not asked.'),
      priority: priority.default(65_535).describe('With a better priority than the listener\'s matching rules, those are ignored.'),
    })
    .prefault({})
    .describe('The listener\'s entry for everybody: ask the rules of the service.'),
};

/** For listeners of sessions, or of connections that are kept between requests. */
export const listenerIdle = {
  idleTimeoutSeconds: wholeNumber({ min: 5, max: 86_400 }).optional().describe('Silence after which a session here is cut; the service\'s when absent.'),
};

/** For listeners that show the certificate for clients. */
export const listenerTls = {
  minTlsVersion: z.enum(['TLSv1.2', 'TLSv1.3']).optional().describe('The oldest version spoken here; TLSv1.2 when absent.'),
  ciphers: z.string().min(1).max(4096).optional().describe('Cipher suites in OpenSSL\'s notation and in order of preference, instead of the usual ones.'),
};

/** For listeners on which users may show a certificate. */
export const listenerClientCertificates = {
  requestClientCertificate: z.boolean().optional().describe('Whether clients are asked for a certificate; by default where `tls.userCertificates` says whose count.'),
  maxChainDepth: wholeNumber({ min: 0, max: 100 }).optional().describe('Authorities above a client\'s certificate; one with more does not count. Any number when absent.'),
};
