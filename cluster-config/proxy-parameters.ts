/** Parameters that each proxy of a front-end has of its own: user maps, default back-end, connections to back-ends. */
import { z } from 'zod';
import { host, objectName, onMiss, port, wholeNumber } from './values.ts';

/** The manual's mappingData. */
export const mappingParameters = {
  userMaps: z.array(objectName).max(100).optional().describe('Names of the user maps that this service asks, in this order; all of them when absent. None: everybody lives at `mappingHost`.'),
  mappingHost: host.optional().describe('The service\'s own default back-end, a node\'s name or any host, instead of that of `routing`.'),
  onMiss: onMiss.optional().describe('An address that no map of this service knows: refuse it, or send it to the default back-end. As `routing` says when absent.'),
};

/** For services whose servers of other kinds have their port elsewhere, or can't be of other kinds. */
export const mappingPort = port.optional().describe('The port at `mappingHost`. Among nodes that share a host it says which one is meant, as the port of a trusted listener.');

/** The manual's connectionData; `sslEnable` is `foreignBackends.tls`, since nodes always speak TLS with each other. */
export const connectionParameters = {
  connectTimeoutSeconds: wholeNumber({ min: 1, max: 600 }).default(5).describe('How long a connection to a back-end may take.'),
  localInterface: z.union([z.ipv4(), z.ipv6()]).optional().describe('The IP address of this machine that connections to back-ends come from; the operating system chooses when absent.'),
};

export const maxConnectionsPerBackend = wholeNumber({ min: 1, max: 1_000_000 }).optional().describe('Connections of the service to one back-end at the same time, of all worker processes together (what came within the last tenth of a second may be more); who comes later is told to try again. No limit when absent.');

/** Of proxies whose sessions are joined with a back-end; other servers than nodes of ours close with the session. */
export const keptConnections = {
  keptConnections: wholeNumber({ min: 0, max: 1000 }).default(16).describe('Connections to one node that are kept for the next logins when their sessions end with LOGOUT or QUIT, for each worker process; 0: none. They do not count in `maxConnectionsPerBackend`.'),
  keptConnectionSeconds: wholeNumber({ min: 1, max: 240 }).default(30).describe('How long such a connection waits for a login before it is closed.'),
};

export const capabilityPollSeconds = wholeNumber({ min: 1, max: 86_400 }).default(120).describe('How often back-ends are asked for their capabilities, beside what logins tell; more often in the first minutes of a configuration. What all of them can is announced before login; a back-end that is down counts with its last word.');

export function rwTimeoutSeconds(seconds: number): z.ZodDefault<z.ZodNumber> {
  return wholeNumber({ min: 1, max: 3600 }).default(seconds).describe('How long a back-end may take for an answer before a session is joined with it.');
}
