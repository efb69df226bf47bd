/** All operations of the admin API: what every node knows, whichever it can do itself. */
import type { Operation } from '../../../shared/admin-api/operation.ts';
import { accountOperations } from './accounts.ts';
import { accountLifeOperations } from './account-life.ts';
import { administratorOperations } from './administrators.ts';
import { auditOperations } from './audit.ts';
import { backupOperations } from './backups.ts';
import { configurationOperations } from './configuration.ts';
import { domainOperations } from './domains.ts';
import { folderRightsOperations } from './folder-rights.ts';
import { groupOperations } from './groups.ts';
import { jobOperations } from './jobs.ts';
import { logOperations } from './logs.ts';
import { nodeOperations } from './nodes.ts';
import { protocolTraceOperations } from './protocol-trace.ts';
import { publishingOperations } from './publishing.ts';
import { queueOperations } from './queue.ts';
import { reportOperations } from './reports.ts';
import { serviceOperations } from './services.ts';
import { signInOperations } from './sign-in.ts';
import { sessionsOperations } from './sessions.ts';
import { searchIndexOperations } from './search-index.ts';
import { storageOperations } from './storages.ts';
import { userMapOperations } from './user-map.ts';

const groups = [signInOperations, nodeOperations, serviceOperations, sessionsOperations, accountOperations, userMapOperations, accountLifeOperations, folderRightsOperations, groupOperations, domainOperations, storageOperations, searchIndexOperations, backupOperations, jobOperations, queueOperations, configurationOperations, publishingOperations, administratorOperations, reportOperations, protocolTraceOperations, auditOperations, logOperations];

export const operations = groups.flatMap((group): unknown[] => Object.values(group)) as readonly Operation[];
