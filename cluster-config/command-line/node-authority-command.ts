/** `waybill node authority` and `waybill node token`: the sealed key of the cluster's authority, and one-time tokens for new nodes. */
import { existsSync } from 'node:fs';
import { mkdir, readFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { replaceFile } from '../../shared/base/replace-file.ts';
import { createAuthority, issueCertificate } from '../../shared/tls/authority.ts';
import { seedForge } from '../../shared/tls/random.ts';
import { sealKey } from '../../shared/tls/sealed-key.ts';
import { nodeOperations } from '../admin/contract/nodes.ts';
import { requirePair } from '../joining/authority-keeper.ts';
import { configOfNode } from '../load.ts';
import type { NodeConfig } from '../effective.ts';
import { readSecret } from '../secret.ts';
import { openApi } from './api-client.ts';
import type { ApiOptions } from './api-client.ts';
import { loadConfig } from './load-config.ts';
import { UsageError } from './usage-error.ts';

export interface AuthorityOptions {
  readonly config: string;
  /** PEM file: the key of an authority that exists. */
  readonly key?: string;
}

/** Makes the authority, or seals the key of the one that exists. @throws UsageError, Failure('bad-input'); then nothing is written */
export async function nodeAuthority({ config: file, key: keyFile }: AuthorityOptions): Promise<string> {
  const { nodes } = await loadConfig(file);
  const keeper = Object.values(nodes).find(({ nodeName, tls }) => tls.authorityKey?.node === nodeName);
  const kept = keeper?.tls.authorityKey;
  if (keeper === undefined || kept === undefined) throw new UsageError('tls.authorityKey in the configuration is to say which back-end keeps the key, and where');
  const config = configOfNode({ nodes, clusterName: keeper.clusterName, version: keeper.version }, kept.node, file);
  if (existsSync(kept.file)) throw new UsageError(`${kept.file} is there already`);
  const passphrase = await readSecret(kept.passphrase, process.env);
  await mkdir(dirname(kept.file), { recursive: true, mode: 0o700 });
  if (keyFile === undefined) return makeAuthority(config, kept.file, passphrase);
  const key = await readFile(keyFile, 'utf8');
  requirePair({ certificate: await readFile(config.tls.clusterAuthority ?? '', 'utf8'), key });
  await replaceFile(kept.file, await sealKey(key, passphrase));
  return `${kept.file} holds the key, sealed; ${keyFile} is needed no more: put it into a safe, or destroy it`;
}

/** The keeper needs a certificate of its own before it can run and issue others. */
async function makeAuthority({ tls, clusterName, nodeName, host }: NodeConfig, sealedFile: string, passphrase: string): Promise<string> {
  const { clusterAuthority, nodeCertificate, nodeKey } = tls;
  if (clusterAuthority === undefined || nodeCertificate === undefined || nodeKey === undefined) throw new UsageError(`tls.clusterAuthority, nodeCertificate and nodeKey of ${nodeName} are to say where the files are written`);
  const there = [clusterAuthority, nodeCertificate, nodeKey].find((name) => existsSync(name));
  if (there !== undefined) throw new UsageError(`${there} is there already; seal the key of the authority that exists with --key`);
  seedForge();
  const authority = await createAuthority({ commonName: `${clusterName} authority`, organisation: clusterName });
  const isName = /[a-z]/i.test(host) && !host.includes(':');
  const own = await issueCertificate(authority, {
    subject: { O: clusterName, OU: 'backend', CN: nodeName }, dnsNames: isName ? [nodeName, host] : [nodeName], ipAddresses: isName ? [] : [host],
    usages: ['server', 'client'], validDays: tls.authorityKey?.certificateDays,
  });
  const sealed = await sealKey(authority.key, passphrase);
  for (const [name, text] of [[sealedFile, sealed], [clusterAuthority, authority.certificate], [nodeKey, own.key], [nodeCertificate, own.certificate]] as const) {
    await mkdir(dirname(name), { recursive: true, mode: 0o700 });
    await replaceFile(name, text);
  }
  return `made the authority of ${clusterName} (${clusterAuthority}, its key sealed in ${sealedFile}) and the certificate of ${nodeName}`;
}

export interface TokenOptions extends ApiOptions {
  readonly role: string;
  readonly valid: string;
  /** With commas between. */
  readonly host?: string;
}

const unitMinutes: Readonly<Record<string, number>> = { m: 1, h: 60, d: 1440 };

/** The token alone on its first line. @throws UsageError */
export async function nodeToken(node: string, options: TokenOptions): Promise<string> {
  const [, count, unit = ''] = /^(\d{1,5})([mhd])$/.exec(options.valid) ?? [];
  if (count === undefined) throw new UsageError('--valid is a time such as 30m, 1h or 2d');
  if (options.role !== 'frontend' && options.role !== 'backend') throw new UsageError('--role is frontend or backend');
  const body = { node, role: options.role, validMinutes: Number(count) * (unitMinutes[unit] ?? 0), hosts: options.host?.split(',') ?? [] };
  const { token, expiresAt } = nodeOperations.makeJoinToken.answer.parse(await (await openApi(options)).ask('/join-tokens', { method: 'POST', body }));
  return `${token}\nfor ${options.role} ${node}, good once, until ${expiresAt}; whoever has it can be that node`;
}
