/** Each node's side of ACME: it asks the renewer for the certificates that it shows, and puts new ones in their place. */
import { X509Certificate, createPrivateKey } from 'node:crypto';
import { z } from 'zod';
import { callNode } from '../../shared/admin/admin-call.ts';
import type { AdminTarget } from '../../shared/admin/admin-client.ts';
import { Failure, isFailure } from '../../shared/base/failure.ts';
import type { Logger } from '../../shared/log/log.ts';
import type { NodeConfig } from '../effective.ts';
import { readNamedFile } from '../held-files.ts';
import { replacePair } from '../joining/pair-files.ts';
import { loadNodeTls } from '../node-tls.ts';
import { issuedSchema } from './acme-folder.ts';
import { acmePaths, renewerTarget } from './acme-routes.ts';
import { managedPairs } from './managed-pairs.ts';
import type { ManagedPair } from './managed-pairs.ts';
import { Renewer } from './renewer.ts';

export interface FollowOptions {
  readonly log: Logger;
  /** The configuration in use. */
  readonly config: () => NodeConfig;
  /** Something new is in its place. */
  readonly onFresh: () => Promise<void>;
}

export interface AcmeWatch {
  /** Never rejects. */
  lookNow(): Promise<void>;
  close(): void;
}

const lookEveryMs = 60_000;
/** The renewer looks in its own folder only. */
const orderEveryMs = 5000;
const silenceMs = 10_000;
const answerSchema = z.object({ pair: issuedSchema.nullable() });

/** Begins to look; at the renewer also for what is due. */
export function followAcme({ log, config, onFresh }: FollowOptions): AcmeWatch {
  const renewer = new Renewer(log);
  let ordering: Promise<void> | undefined;
  let turn: Promise<void> = Promise.resolve();
  const fetch = async (): Promise<void> => {
    turn = turn.then(async () => fetchFresh(config(), { log, onFresh })).catch((error: unknown) => tell(log, error));
    await turn;
  };
  const order = (): void => {
    const now = config();
    if (now.tls.acme?.node === now.nodeName) ordering ??= renewer.look(now).catch((error: unknown) => tell(log, error)).finally(() => { ordering = undefined; });
  };
  const timers = [setInterval(order, orderEveryMs).unref(), setInterval(() => void fetch(), lookEveryMs).unref()];
  order();
  void fetch();
  return { lookNow: fetch, close: () => timers.forEach(clearInterval) };
}

function tell(log: Logger, error: unknown): void {
  if (isFailure(error, 'backend-unavailable')) log.warn({ err: error }, 'the renewer of certificates does not answer; those in use stay');
  else log.error({ err: error }, 'certificates by ACME could not be looked at; those in use stay');
}

/** Each pair by itself: one that can't be had keeps none of the others from its place. */
async function fetchFresh(config: NodeConfig, { log, onFresh }: Pick<FollowOptions, 'log' | 'onFresh'>): Promise<void> {
  const pairs = managedPairs(config);
  if (pairs.length === 0) return;
  const target = renewerTarget(config, await loadNodeTls(config));
  for (const pair of pairs) {
    try {
      if (await fetchPair(target, pair, log)) await onFresh();
    } catch (error) {
      tell(log, error);
    }
  }
}

/** Whether a new one came. */
async function fetchPair(target: AdminTarget, { names, ...files }: ManagedPair, log: Logger): Promise<boolean> {
  const { pair } = answerSchema.parse(await callNode(target, { path: acmePaths.pair, body: { names }, silenceMs }));
  const present = await readNamedFile(files.certificate).catch(() => undefined);
  if (pair === null || pair.certificate === present) return false;
  if (!new X509Certificate(pair.certificate).checkPrivateKey(createPrivateKey(pair.key))) throw new Failure('bad-input', `the certificate for ${names.join(', ')} that came is not of the key that came with it`);
  const place = await replacePair(files, pair);
  log.info({ names, place }, 'has a new certificate from the renewer');
  return true;
}
