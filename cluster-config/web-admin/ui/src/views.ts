/** What the admin API answers, from its own contract: a change there that breaks a screen is a type error here. */
import type { z } from 'zod';
import type { Capability } from '../../../../shared/admin-api/capability.ts';
import type { accountOperations, moveSchema, recordSchema } from '../../../admin/contract/accounts.ts';
import type { nodeOperations, nodeSchema, workerSchema } from '../../../admin/contract/nodes.ts';
import type { queueItemSchema, queueOperations } from '../../../admin/contract/queue.ts';
import type { sessionOperations } from '../../../admin/contract/session.ts';
import type { sessionsOperations } from '../../../admin/contract/sessions.ts';
import type { configurationOperations, storageOperations } from '../../../admin/contract/storages.ts';

type Answer<Operation extends { readonly answer: z.ZodType }> = z.output<Operation['answer']>;

export type { Capability };
export type SessionView = Answer<typeof sessionOperations.showSession>;
export type NodesView = Answer<typeof nodeOperations.listNodes>;
export type NodeView = z.output<typeof nodeSchema>;
export type WorkerView = z.output<typeof workerSchema>;
export type SessionsView = Answer<typeof sessionsOperations.listSessions>;
export type LiveSession = SessionsView['sessions'][number];
export type DirectoryView = Answer<typeof accountOperations.searchDirectory>;
export type DirectoryEntry = DirectoryView['entries'][number];
export type NodeAccountsView = Answer<typeof accountOperations.listNodeAccounts>;
export type NodeAccount = NodeAccountsView['accounts'][number];
export type AccountView = Answer<typeof accountOperations.showAccount>;
export type RecordView = z.output<typeof recordSchema>;
export type RouteView = Answer<typeof accountOperations.showRoute>;
export type MoveView = z.output<typeof moveSchema>;
export type DomainsView = Answer<typeof accountOperations.listDomains>;
export type DomainView = DomainsView['domains'][number];
export type QueueView = Answer<typeof queueOperations.listQueue>;
export type QueueItem = z.output<typeof queueItemSchema>;
export type QueuedMessage = Answer<typeof queueOperations.showQueued>;
export type StoragesView = Answer<typeof storageOperations.listStorages>;
export type StorageView = StoragesView['storages'][number];
export type ConfigurationView = Answer<typeof configurationOperations.showConfiguration>;
export type CheckView = Answer<typeof configurationOperations.checkConfiguration>;
