/**
 * The face of the room: mail of a node's accounts (`openStorage`), and the environment
 * and packs out of which processing builds its queue. What they promise is written in interface.ts and packs.ts.
 */
export { longestAnnotationBytes } from './annotations.ts';
export { Flag } from './interface.ts';
export type {
  AccountLimits,
  Account, AccountRecord, Annotation, AnnotationOutcome, AnnotationPlace, AccountTerms, AppendedMessage, AppendGuard, AppendMarks, AppendResult, CopyResult, DeliveryRecords, FlagChange, FlagMask, FlagOutcome, Lots, Mailbox, MailboxState, MeasuredMailbox, MessageRow, OpenedState, RowList,
  StagedMessage, Storage, StoredMessage,
} from './interface.ts';
export { anyone, effectiveRights, groupMark, groupsNamed } from './rights.ts';
export type { Applies, FolderRights, RightsEntry } from './rights.ts';
export type { MailboxEntry } from './entries.ts';
export type { StorageCare } from './care.ts';
export type { KeptFolder } from './kept-folder.ts';
export { listBackups, readBackup } from './backup/backup-record.ts';
export type { BackupRecord } from './backup/backup-record.ts';
export { makeBackup } from './backup/make-backup.ts';
export type { RestoredAccount, RestoredMailbox } from './backup/restore-account.ts';
export { checkStorage } from './check/check-storage.ts';
export { checkFolder } from './check/check-folder.ts';
export type { CheckOptions, CheckReport, IndexReader } from './check/check-folder.ts';
export type { Findings } from './check/findings.ts';
export { pagesOf } from './table-pages.ts';
export { compactStorage } from './compact/compact-storage.ts';
export type { CompactReport } from './compact/compact-storage.ts';
export { shrinkIndex } from './compact/shrink-index.ts';
export { rebuildIndex } from './repair/rebuild-index.ts';
export type { RebuildReport } from './repair/rebuild-index.ts';
export type { Settlement } from './unsettled-accounts.ts';
export type { RepairReport } from './repair/repair-storage.ts';
export { isLoss } from './check/findings.ts';
export type { Finding } from './check/findings.ts';
export type { LockEnd } from './write-lock.ts';
export { claimDirectory, demandCluster, demandKnownFormat, queueKind } from './directory-record.ts';
export type { Joining, TakenOut } from './storage-list.ts';
export type { DirectoryKind } from './directory-record.ts';
export { openStorage } from './open-storage.ts';
export { measureStorages } from './storage-counters.ts';
export type { StorageOptions } from './open-storage.ts';
export { isAlive, thisProcess } from '../../shared/base/process-identity.ts';
export { openIndexed, tellDamageOf, wayOutOf } from './lost-index.ts';
export { FreeSpace } from './free-space.ts';
export { keysUnder, openEnvironment } from './environment.ts';
export type { Environment, Key, KeyRange, Table } from './environment.ts';
export { openPacks } from './open-packs.ts';
export type { PackOptions } from './open-packs.ts';
export { isHere } from './packs.ts';
export type { DeliveryNote, MessageBytes, PackPlace, Packs, StagedBytes, StageOptions } from './packs.ts';
export type { AccountLives, AccountSummary, LocalGroup } from './account-lives.ts';
export type { AccountSnapshot, ArrivedMessage, Arriving, ArrivingRecord, ChangesPage, Leaving, LeavingMessage, LeftMail, Transfers } from './transfers.ts';
