/** Operations of the admin API on single services of a node. */
import { z } from 'zod';
import type { Capability } from '../../../shared/admin-api/capability.ts';
import { operation } from '../../../shared/admin-api/operation.ts';
import { nodeName, ofNode } from './nodes.ts';

/** What each service needs of who starts and stops it. */
const permissions = {
  smtpProxy: 'manageSMTPProxy', imapProxy: 'manageIMAPProxy', pop3Proxy: 'managePOP3Proxy', webmailProxy: 'manageWebmailProxy',
  smtpReceiving: 'manageSMTPIn', processing: 'manageProcessing', imap: 'manageIMAP', pop3: 'managePOP3', webmail: 'manageWebmail',
} as const satisfies Record<string, Capability>;

const names = Object.keys(permissions) as [keyof typeof permissions, ...(keyof typeof permissions)[]];
const serviceName = z.enum(names);
const state = z.enum(['stopped', 'starting', 'running', 'stopping', 'failed']);

export const unitStateSchema = z.object({ name: serviceName, state, reason: z.string().optional(), sinceMs: z.number() });
export const serviceSchema = z.object({
  name: serviceName,
  state: state.describe('The gravest of its workers; running: all do.'),
  reason: z.string().optional().describe('Why it could not start; it is tried again.'),
  workers: z.array(z.object({ pid: z.number(), state, reason: z.string().optional(), since: z.string() })),
});

const answer = z.object({ services: z.array(serviceSchema) });
const ofService = z.strictObject({ node: nodeName, service: serviceName });

function needs({ service }: Readonly<Record<string, string>>): Capability {
  const known = serviceName.safeParse(service);
  return known.success ? permissions[known.data] : 'manageCluster';
}

const act = { method: 'POST', group: 'services', needs, place: 'node', kind: 'act', params: ofService, answer: serviceSchema } as const;

export const serviceOperations = {
  listServices: operation({ name: 'listServices', method: 'GET', path: '/nodes/{node}/services', group: 'services', needs: 'signed-in', place: 'node', kind: 'read', summary: 'The services of a node that its configuration enables, and their states.', params: ofNode, answer }),
  startService: operation({ ...act, name: 'startService', path: '/nodes/{node}/services/{service}/start', summary: 'Start a service in all workers.' }),
  stopService: operation({ ...act, name: 'stopService', path: '/nodes/{node}/services/{service}/stop', summary: 'Stop a service in all workers: it takes nothing new, and its sessions may finish within drainSeconds. Holds until it is started again or the node ends.' }),
  restartService: operation({ ...act, name: 'restartService', path: '/nodes/{node}/services/{service}/restart', summary: 'Stop, then start.' }),
};
