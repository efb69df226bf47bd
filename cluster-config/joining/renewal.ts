/** A node renews its own certificate before it ends: a new key, signed by the keeper of the authority for who shows the present one. */
import { X509Certificate, createPrivateKey } from 'node:crypto';
import { z } from 'zod';
import { callNode } from '../../shared/admin/admin-call.ts';
import { Failure } from '../../shared/base/failure.ts';
import type { Logger } from '../../shared/log/log.ts';
import { createSigningRequest } from '../../shared/tls/signing-request.ts';
import type { NodeConfig } from '../effective.ts';
import { readNamedFile } from '../held-files.ts';
import { loadNodeTls } from '../node-tls.ts';
import { joinPaths } from './join-routes.ts';
import { replacePair } from './pair-files.ts';

export interface RenewalOptions {
  readonly log: Logger;
  /** The configuration in use. */
  readonly config: () => NodeConfig;
  /** The new pair is in its place. */
  readonly onRenewed: () => Promise<void>;
}

export interface Renewal {
  /** Looks now whether it is time. Never rejects. */
  lookNow(): Promise<void>;
  close(): void;
}

/** Node certificates are renewed when so much of their life is over; each node a little earlier or later, so that they don't all come at once. */
const partOfLife = 2 / 3;
const jitterOfLife = 1 / 20;
/** Also how soon a failed renewal is tried again. */
const lookEveryMs = 600_000;
const silenceMs = 20_000;
const issuedSchema = z.object({ certificate: z.string() });

/** When a certificate is to be renewed, in ms since 1970. @param chance 0 to 1 */
export function renewalTime({ validFromDate, validToDate }: Pick<X509Certificate, 'validFromDate' | 'validToDate'>, chance: number): number {
  const [from, to] = [validFromDate.getTime(), validToDate.getTime()];
  return from + (to - from) * (partOfLife + (chance * 2 - 1) * jitterOfLife);
}

export function keepRenewed(options: RenewalOptions): Renewal {
  const chance = Math.random();
  let turn: Promise<void> = Promise.resolve();
  const look = async (): Promise<void> => {
    turn = turn.then(async () => renewIfDue(options, chance)).catch((error: unknown) => options.log.error({ err: error }, 'the node certificate could not be renewed; tried again in ten minutes'));
    await turn;
  };
  const timer = setInterval(() => void look(), lookEveryMs).unref();
  void look();
  return { lookNow: look, close: () => clearInterval(timer) };
}

async function renewIfDue({ log, config: current, onRenewed }: RenewalOptions, chance: number): Promise<void> {
  const config = current();
  const { authorityKey, nodeCertificate, nodeKey } = config.tls;
  if (authorityKey === undefined || nodeCertificate === undefined || nodeKey === undefined) return;
  const present = new X509Certificate(await readNamedFile(nodeCertificate));
  if (renewalTime(present, chance) > Date.now()) return;
  const fresh = await askForCertificate(config, authorityKey.node);
  const place = await replacePair({ certificate: nodeCertificate, key: nodeKey }, fresh);
  log.info({ until: new X509Certificate(fresh.certificate).validToDate.toISOString(), place }, 'the node certificate is renewed');
  if (place === 'in memory') log.warn({ file: nodeCertificate, until: present.validToDate.toISOString() }, 'the renewed node certificate can\'t be written: after that time this node starts only with a new one (waybill node join)');
  await onRenewed();
}

/** @throws Failure('backend-unavailable') while the keeper is away, and as the keeper refuses */
async function askForCertificate(config: NodeConfig, keeper: string): Promise<{ readonly certificate: string; readonly key: string }> {
  const entry = Object.hasOwn(config.nodes, keeper) ? config.nodes[keeper] : undefined;
  if (entry?.endpoints.admin === undefined) throw new Failure('backend-unavailable', `${keeper}, which keeps the authority's key, has no admin listener`);
  const { toNode } = await loadNodeTls(config);
  const { key, request } = await createSigningRequest({ O: config.clusterName, OU: config.role, CN: config.nodeName });
  const { certificate } = issuedSchema.parse(await callNode({ host: entry.host, port: entry.endpoints.admin, tls: toNode(keeper) }, { path: joinPaths.renew, body: { request }, silenceMs }));
  const issued = new X509Certificate(certificate);
  const authority = new X509Certificate(await readNamedFile(config.tls.clusterAuthority ?? ''));
  if (!issued.checkPrivateKey(createPrivateKey(key)) || !issued.verify(authority.publicKey)) throw new Failure('bad-input', `the certificate that ${keeper} issued is not for our key, or not of tls.clusterAuthority`);
  return { certificate, key };
}
