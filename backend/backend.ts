/** Wiring of a back-end's worker: from the node's configuration to running services. The only file that knows all rooms. */
import type { NodeConfig } from '../cluster-config/effective.ts';
import { webAdmin } from '../cluster-config/web-admin/web-admin.ts';
import { accountActRoute } from '../cluster-config/admin/act-keeper.ts';
import type { KeepHere } from '../cluster-config/admin/act-keeper.ts';
import { holdingRoute } from '../cluster-config/admin/holders.ts';
import type { Holding } from '../cluster-config/admin/holders.ts';
import { passwordRoute } from '../cluster-config/admin/password-handlers.ts';
import { openAdminApi } from '../cluster-config/admin/open-api.ts';
import { dailyReportHandlers } from '../cluster-config/admin/daily-report-handlers.ts';
import { DailyReport, startDailyReport } from '../cluster-config/daily-report/daily-report.ts';
import type { ReportOutbox } from '../cluster-config/daily-report/daily-report.ts';
import { dayRoutes, sentRoute } from '../cluster-config/daily-report/day-routes.ts';
import { nodeOfMailHost } from '../cluster-config/effective.ts';
import { domainStorageRules, domainTermsOf } from '../cluster-config/domain-settings.ts';
import { addressingOf, catchAllOf, openDirectoryAccess } from '../cluster-config/directory-access.ts';
import { startReporting } from '../cluster-config/node-reporting.ts';
import { observationRoutes } from '../cluster-config/observation.ts';
import type { DirectoryAccess } from '../cluster-config/directory-access.ts';
import { adminListeners } from '../cluster-config/listeners.ts';
import { loadForeignTrust } from '../cluster-config/foreign-backends.ts';
import { acmeRoutes } from '../cluster-config/acme/acme-routes.ts';
import { endingCertificates } from '../cluster-config/certificate-ends.ts';
import { joinRoutes } from '../cluster-config/joining/join-routes.ts';
import { loadNodeTls } from '../cluster-config/node-tls.ts';
import type { NodeContext } from '../cluster-config/run-node.ts';
import { readOrder } from '../cluster-config/worker-order.ts';
import { parseNetwork } from '../shared/access/network.ts';
import { Failure } from '../shared/base/failure.ts';
import type { Handled } from '../shared/admin-api/operation.ts';
import { startAdmin } from '../shared/admin/admin-server.ts';
import type { AdminRoute } from '../shared/admin/admin-server.ts';
import { healthRoutes } from '../shared/admin/health-routes.ts';
import type { Service } from '../shared/service/service.ts';
import { ServiceRack } from '../shared/service/service-rack.ts';
import type { Unit } from '../shared/service/service-rack.ts';
import type { NodeServices } from '../shared/service/worker.ts';
import { backendAdministration, compactionTermsOf, storagesForReport, storagesOf, tidyPacks, WorkerStorageChanges } from './administration/administration.ts';
import { Jobs } from './administration/jobs.ts';
import { createAccountMoves } from './account-move/account-move.ts';
import { AccountCounters } from './accounts/account-counters.ts';
import { createAccounts } from './accounts/accounts.ts';
import { AccountAdministration } from './accounts/administration.ts';
import { groupRoutes } from './accounts/group-routes.ts';
import type { Accounts } from './accounts/accounts.ts';
import { accountRoute, askHolders } from './accounts/holders.ts';
import type { LocalAccounts } from './accounts/local-accounts.ts';
import { demandOwnership } from './accounts/owner-of-new.ts';
import { Reconciliation } from './accounts/reconciliation.ts';
import { startSettling } from './accounts/settling.ts';
import { demandKnownQueue, noteKnownQueue } from './known-queue.ts';
import { demandKnownStorages, noteKnownStorages } from './known-storages.ts';
import { mailAccessUnits } from './mail-access.ts';
import type { Ground } from './mail-access.ts';
import { openProcessing, receivingUnits, submitter } from './mail-flow.ts';
import { frontendTargets, otherBackends } from './other-nodes.ts';
import { laterRoute } from './processing/processing.ts';
import type { Processing } from './processing/processing.ts';
import { openSharing } from './shared-folders.ts';
import { sharedFoldersRoute } from './sharing/shared-folders-route.ts';
import { storageDirectoriesOf, storageMemory } from './storage-directories.ts';
import { measureStorages, openStorage } from './storage/storage.ts';
import type { AccountLimits, Storage } from './storage/storage.ts';
import { TextAnswers, TextIndexing, isIndexing } from './text-index/text-index.ts';

const dayMs = 86_400_000;

/** Starts everything of one worker. @throws Failure or the system's error of the first thing that can't be had. */
export async function startBackend(context: NodeContext): Promise<NodeServices> {
  const { config, log, slot, hints } = context;
  const directory = await openDirectoryAccess(config, context);
  const tls = await loadNodeTls(config);
  for (const warning of tls.warnings) context.log.warn(warning);
  demandKnownQueue(config);
  demandKnownStorages(config); // a disk may have gone since the node began
  const directories = storageDirectoriesOf(config);
  const storage = await openStorage({
    directories: directories.open,
    attached: directories.attached,
    joining: directories.joining.map(({ directory: folder }) => folder),
    takenOut: directories.takenOut,
    clusterName: config.clusterName,
    nodeName: config.nodeName,
    hints, log,
    workerSlot: slot,
    reserveBytes: config.storage.reserveMegabytes * 1024 * 1024,
    quota: quotaOf(config),
    bounds: {
      mailboxes: config.storage.limits.maxMailboxes, subscriptions: config.storage.limits.maxSubscriptions,
      rightsPerMailbox: config.storage.limits.maxRightsPerMailbox, rightsPerAccount: config.storage.limits.maxRightsPerAccount,
    },
    domains: domainStorageRules(config),
  });
  noteKnownStorages(config, directories.open, log);
  const endMeasuring = measureStorages(directories.open, () => storage.addresses().length);
  const counters = new AccountCounters();
  const askOthers = async (address: string): ReturnType<typeof askHolders> => askHolders(otherBackends(config, tls), address);
  const holders = async (address: string): Promise<{ readonly holders: readonly string[]; readonly silent: readonly string[] }> => {
    const { holders: live, away, silent } = await askOthers(address);
    return { holders: [...live, ...away], silent };
  };
  const accounts = createAccounts({
    storage, log,
    maps: directory.maps,
    nodeName: config.nodeName,
    primaryDomain: config.primaryDomain,
    nodeOf: (mailHost) => nodeOfMailHost(config.nodes, mailHost),
    known: { staleMs: config.routing.staleAgeSeconds * 1000, maxEntries: config.routing.maxEntries, counters },
    limitsAgeMs: config.ldapConnectors.some(({ attributes: { quotaBytes, quotaMessages } }) => quotaBytes !== undefined || quotaMessages !== undefined) ? config.routing.positiveAgeSeconds * 1000 : undefined,
    defaultHost: config.routing.mappingHost,
    domainTerms: domainTermsOf(config),
    catchAll: catchAllOf(config),
    holders,
  });
  const sharing = openSharing({ config, tls, storage, accounts });
  const texts = new TextAnswers({ indexed: config.storage.textIndex, log, hints, memoryBytes: config.storage.textIndexMegabytes * 1024 * 1024 });
  const ground: Ground = { context, config, doors: context.doors, tls, storage, accounts, sharing, texts, foreignTrust: await loadForeignTrust(config) };
  const processing = openProcessing(ground);
  noteKnownQueue(config, directories.open, log);
  const moves = createAccountMoves({
    storage, log,
    nodeName: config.nodeName,
    others: otherBackends(config, tls),
    lookUp: async (address) => accounts.lookUp(address),
    setHost: async (entry, node) => directory.setHost(entry, node),
    holdMs: config.storage.moveHoldSeconds * 1000,
    keepLeftMs: config.storage.movedMailDays * 86_400_000,
  });
  await moves.yieldReclaimed();
  const administration = new AccountAdministration({ storage, accounts, maps: directory.maps, log, changeUser: async (entry, change) => directory.changeUser(entry, change), isOurs: addressingOf(config).isOurs });
  const memory = storageMemory(config);
  const changes = new WorkerStorageChanges({ storage, memory, log, siblings: context.siblings, onLetGo: (folder) => texts.letGo(folder), isBusy: isIndexing });
  const reportGround = { context, tls, log, storages: async () => storagesForReport(storagesOf({ config, storage, memory, changes })), outbox: outboxOf(processing) };
  const rack = new ServiceRack({ units: unitsOf(ground, processing), wishes: context.wishes, siblings: context.siblings, graceMs: config.drainSeconds * 1000, log });
  const services = await rack.start();
  const jobs = new Jobs(context.siblings, log);
  const mayMake = async (address: string): Promise<void> => demandOwnership({ accounts, maps: directory.maps, nodeName: config.nodeName, holders }, address);
  const administered = backendAdministration({ config, tls, storage, accounts, administration, sharing, frontends: frontendTargets(config, tls), moves, directory, processing, log, siblings: context.siblings, notices: context.notices, jobs, mayMake, memory, changes });
  const admin = await startAdminApi(ground, {
    rack, directory, handlers: [...administered.handlers, ...dailyReportHandlers(config, new DailyReport(reportGround))],
    routes: [...context.nodeRoutes, ...administered.routes, ...dayRoutes(reportGround), sentRoute(reportGround.outbox), ...moves.routes, laterRoute(processing), ...groupRoutes(administration, storage), holdingRoute((address) => holdingOf(storage, address)), passwordRoute(async (address, password) => setPassword(accounts.local, address, password)), statsRoute(context.siblings, { counters, directory })],
  });
  return {
    log,
    services: [...services, jobs],
    admin: admin.services,
    onAppointed: async () => [...startReporting(context), admin.onAppointed(), ...startDailyReport(reportGround), moves.startTidying(), startSettling({ storage, accounts, maps: directory.maps, nodeName: config.nodeName, holders: askOthers, log }), reconciliationOf(ground, directory).start(), ...await rack.startOnce(), tidyPacks(storage, compactionTermsOf(config), log), changes.goOn(), ...textIndexing(context, storage)],
    renew: async () => tls.renew(),
    superseded: (configuration) => {
      const { config: next } = readOrder(configuration, 'backend');
      storage.useLimits({ quota: quotaOf(next), domains: domainStorageRules(next) });
    },
    close: async () => {
      await processing.close();
      texts.close();
      endMeasuring(); // what the worker has counted is told once more after this
      await storage.close();
      directory.close();
    },
  };
}

/** What an account may hold for which neither itself nor its domain has limits. */
function quotaOf({ storage: { quota: { maxKilobytes, maxMessages } } }: NodeConfig): AccountLimits {
  return { bytes: maxKilobytes * 1024, messages: maxMessages };
}

/** The daily report goes by this node's queue, like any message. */
function outboxOf({ onceOnly }: Processing): ReportOutbox {
  return { sendOnce: async (key, message) => onceOnly.send(key, message), hasSent: (key) => onceOnly.has(key) };
}

function reconciliationOf({ config, storage, context }: Ground, directory: DirectoryAccess): Reconciliation {
  const { keepDeletedDays, keepVanishedDays, reconcileSeconds, confirmVanished, maxVanishedPercent } = config.accounts;
  const hasDirectory = config.userMaps.some(({ type }) => type !== 'localFile');
  return new Reconciliation({
    storage, maps: directory.maps, log: context.log,
    listed: hasDirectory ? async () => new Set((await directory.list()).flatMap(({ addresses }) => addresses)) : undefined,
    everyMs: reconcileSeconds * 1000,
    confirmations: confirmVanished,
    maxMissingPercent: maxVanishedPercent,
    keepDeletedMs: keepDeletedDays * dayMs,
    keepVanishedMs: keepVanishedDays * dayMs,
  });
}

/** As front-ends have it: what all workers of the node have counted. */
function statsRoute(siblings: NodeContext['siblings'], { counters: { mapping, logins }, directory }: { readonly counters: AccountCounters; readonly directory: DirectoryAccess }): AdminRoute {
  siblings.answer('map-stats', () => ({ process: process.pid, mapping, logins, connectors: directory.operations() }));
  return { prefix: '/map-stats', allow: 'nodes', answer: async () => ({ status: 200, body: { workers: (await siblings.ask('map-stats', {})).answers } }) };
}

/** One worker of the node sees to it that the text index follows. */
function textIndexing({ config, hints, log }: NodeContext, storage: Storage): readonly Service[] {
  const { textIndex: indexed, textIndexDelaySeconds } = config.storage;
  if (indexed === 'off') return [];
  const order = { clusterName: config.clusterName, nodeName: config.nodeName, directories: storage.care.folders().map(({ directory }) => directory), indexed };
  return [new TextIndexing({ order, hints, log, delayMs: textIndexDelaySeconds * 1000 })];
}

/** Where nothing is kept there is nothing to end, and no account is made for it. */
async function setPassword(local: LocalAccounts, address: string, password: string | undefined): Promise<void> {
  if (password !== undefined) await local.setPassword(address, password);
  await (await local.find(address))?.endSessions();
}

/** What lies here under an address. */
function holdingOf(storage: Storage, address: string): Holding {
  const name = storage.lives.localName(address)?.kind;
  return { account: storage.find(address).at, ...(name === undefined ? {} : { name }) };
}

/** Those that the configuration enables. Mail that comes in is taken while the queue rests. */
function unitsOf(ground: Ground, processing: Processing): readonly Unit[] {
  const runner: Unit = { name: 'processing', per: 'node', places: [], start: async () => Promise.resolve([processing.startRunner()]) };
  return [
    ...(ground.config.services.processing.enable ? [runner] : []),
    ...receivingUnits(ground, processing), ...mailAccessUnits(ground, submitter(ground, processing)),
  ];
}

interface NodeAdmin {
  readonly rack: ServiceRack;
  readonly routes: readonly AdminRoute[];
  readonly directory: DirectoryAccess;
  readonly handlers: readonly Handled[];
}

/** Opened last: who asks it finds all services there. */
async function startAdminApi(ground: Ground, { rack, routes: more, directory, handlers }: NodeAdmin): Promise<{ readonly services: readonly Service[]; readonly onAppointed: () => Service }> {
  const { config, tls, storage, accounts, context } = ground;
  const readIndex = (): void => void storage.isTakenOut(`postmaster@${config.primaryDomain}`); // looks into each storage
  const health = { isStopping: context.isStopping, services: () => rack.states(), check: readIndex, warnings: () => endingCertificates(config) };
  const keepAct: KeepHere = async (address, act) => storage.lives.keepAct(address, act);
  const api = await openAdminApi({ context, tls, directory, health, rack, handlers, keeperOf: async (address) => keeperOf(accounts, config, address), keepAct });
  const routes = [...healthRoutes(health), ...observationRoutes(context), ...joinRoutes({ ...context, tls }), ...acmeRoutes(config), accountRoute(storage, async (address) => accounts.nodeOf((await accounts.lookUp(address))?.mailHost)), sharedFoldersRoute(ground.sharing), accountActRoute(keepAct), ...api.routes, ...more];
  const services = await Promise.all(adminListeners(ground).map(async (at) => startAdmin({ ...at, serverTls: tls.forAdministration, isTrustedNode: tls.isTrustedNode, signerOf: tls.signerOf, routes, acts: api.acts, observers: config.services.admin.observers.map(parseNetwork), parts: [webAdmin(context.log), api.part], log: context.log })));
  return { services, onAppointed: api.onAppointed };
}

/** @throws Failure for addresses whose mail no node of ours keeps */
async function keeperOf(accounts: Accounts, config: NodeConfig, address: string): Promise<string> {
  const entry = await accounts.lookUp(address);
  const node = entry === undefined ? undefined : nodeOfMailHost(config.nodes, entry.mailHost);
  if (node === undefined) throw new Failure('unknown-user', `no back-end of this cluster keeps mail of ${address}`);
  return node;
}
