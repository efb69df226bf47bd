/** Where a back-end keeps mail, and how much of it. */
import { z } from 'zod';
import { fileName, needsRestart, wholeNumber } from './values.ts';

const quota = z
  .strictObject({
    maxKilobytes: wholeNumber({ min: 0, max: 2 ** 40 }).default(0).describe('Most kilobytes of mail of an account; 0 for no limit.'),
    maxMessages: wholeNumber({ min: 0, max: 2 ** 32 }).default(0).describe('Most messages of an account; 0 for no limit.'),
  })
  .prefault({})
  .describe('What an account may use.');

const limits = z
  .strictObject({
    maxMailboxes: wholeNumber({ min: 10, max: 1_000_000 }).default(10_000).describe('Most mailboxes of an account.'),
    maxSubscriptions: wholeNumber({ min: 10, max: 1_000_000 }).default(10_000).describe('Most subscriptions of an account; they may name folders of others, and such as are not there.'),
    maxRightsPerMailbox: wholeNumber({ min: 1, max: 10_000 }).default(200).describe('Most users and groups to whom rights are given at one mailbox.'),
    maxRightsPerAccount: wholeNumber({ min: 1, max: 1_000_000 }).default(10_000).describe('Most such entries at all mailboxes of an account together.'),
  })
  .prefault({})
  .describe('How large the tables of an account may get that its users let grow. What is beyond a limit that is lowered stays, and an account that is moved keeps it all.');

export const storageParameters = {
  storage: z
    .strictObject({
      directories: needsRestart(
        z.array(fileName()).max(128).default([]).describe('The storages: folders on local disks, each with index and packs; a back-end needs one. One for each disk is best: messages that come at the same time share flushes only within a storage.'),
        'a node locks its storages when it starts, and its older workers have the old ones open',
      ),
      reserveMegabytes: wholeNumber({ min: 0, max: 1_000_000 }).default(100).describe('Free space below which mail is refused for the time being.'),
      quota,
      limits,
      compactDeadPercent: wholeNumber({ min: 0, max: 99 }).default(50).describe('Files of messages of which at least this share is dead are rewritten, without being asked for; 0: only by `waybill storage compact`.'),
      compactMegabytesPerSecond: wholeNumber({ min: 1, max: 10_000 }).default(10).describe('How fast such files are rewritten at most.'),
      backupDirectory: fileName().optional().describe('Where backups of the node are made and looked for: a folder on another disk, into which the node can write. None: no backups.'),
      lockSeconds: wholeNumber({ min: 1, max: 3600 }).default(60).describe('How long `waybill storage lock` holds when nobody unlocks. A writer waits for 30 seconds, then it is told to try later.'),
      textIndex: z
        .enum(['off', 'searched', 'all'])
        .default('searched')
        .describe('Which mailboxes get an index for searches of text: none, those that somebody has searched within 90 days, or all. It lies beside the storages, takes about a third of the space of mail without attachments, and can be dropped at any time; searches find the same without it, later.'),
      textIndexDelaySeconds: wholeNumber({ min: 1, max: 86_400 }).default(30).describe('How long after a change the index is brought up to date at the latest, while the machine has time. Messages that are not in it yet are looked into.'),
      textIndexMegabytes: wholeNumber({ min: 8, max: 65_536 }).default(64).describe('How much of indexes each worker keeps in memory.'),
      moveHoldSeconds: wholeNumber({ min: 1, max: 600 }).default(10).describe('The longest time for which nobody can open an account while the last of it is moved to another node.'),
      movedMailDays: wholeNumber({ min: 0, max: 3650 }).default(7).describe('How long the mail of an account that moved away is kept after its copy was compared.'),
    })
    .prefault({})
    .describe('Storages of a back-end.'),
};
