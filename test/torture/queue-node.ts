/** The part of a node that keeps mail and works its queue off, without listeners: for the torture of the queue. */
import { join } from 'node:path';
import type { Logger } from '../../shared/log/log.ts';
import { loneWorker } from '../harness/lone-worker.ts';
import { createDnr, defaultDnrOptions } from '../../shared/dnr/dnr.ts';
import { createProcessing, defaultRetryOptions } from '../../backend/processing/processing.ts';
import type { Processing } from '../../backend/processing/processing.ts';
import { createSmtpSending } from '../../backend/smtp-sending/smtp-sending.ts';
import { openStorage } from '../../backend/storage/storage.ts';
import type { Storage } from '../../backend/storage/storage.ts';
import { tortureOptions } from './mail-storage.ts';

export interface QueueNode {
  readonly storage: Storage;
  readonly processing: Processing;
  isQueueEmpty(): boolean;
  close(): Promise<void>;
}

/** Tries again within hundredths of a second, and never gives up during a torture. */
const retry = { ...defaultRetryOptions, refused: { firstDelayMs: 20, maxDelayMs: 40 }, outage: { firstDelayMs: 20, maxDelayMs: 40 }, jitter: 0 };

/** Where its files are. */
export function mailDirectory(directory: string): string {
  return join(directory, 'mail');
}

export function queueDirectory(directory: string): string {
  return join(directory, 'queue');
}

export async function openQueueNode(directory: string, log: Logger): Promise<QueueNode> {
  const storage = await openStorage(tortureOptions(mailDirectory(directory), log));
  const sending = createSmtpSending({ hostName: 'be1.example.com', dnr: createDnr(defaultDnrOptions), routes: [], port: 25, connectTimeoutMs: 1000, timeouts: {}, log });
  const processing = createProcessing({
    languagesFor: async () => Promise.resolve(['en']),
    storage, sending, retry, log, queueDirectory: queueDirectory(directory), reserveBytes: 0, clusterName: 'test', nodeName: 'be1', hostName: 'be1.example.com', primaryDomain: 'example.com', maxLanes: 8,
    accounts: { open: (address) => storage.createAccount(address), lookUp: async () => Promise.resolve({ mailHost: 'be1' }), expand: async () => Promise.resolve({ kind: 'mailbox' }) },
    isOurDomain: (domain) => domain === 'example.com', lmtpOf: () => undefined, siblings: loneWorker(), askOthers: async () => Promise.resolve(new Map()),
  });
  const runner = processing.startRunner();
  return {
    storage, processing,
    isQueueEmpty: () => processing.list({ from: '', limit: 1 }).length === 0,
    close: async () => {
      await runner.stop(5000);
      await processing.close();
      await storage.close();
    },
  };
}
