/** `waybill node join`: on a new machine, a key is made and its certificate asked for with a one-time token. Nothing is written before all is there. */
import { X509Certificate, createPrivateKey } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { ConnectionOptions, PeerCertificate } from 'node:tls';
import { z } from 'zod';
import { callNode } from '../../shared/admin/admin-call.ts';
import type { AdminTarget } from '../../shared/admin/admin-client.ts';
import { Failure, isFailure } from '../../shared/base/failure.ts';
import { replaceFile } from '../../shared/base/replace-file.ts';
import { readJoinToken } from '../../shared/tls/join-token.ts';
import type { JoinToken } from '../../shared/tls/join-token.ts';
import { createSigningRequest } from '../../shared/tls/signing-request.ts';
import { fingerprintOf } from '../joining/authority-keeper.ts';
import { joinPaths } from '../joining/join-routes.ts';
import { UsageError } from './usage-error.ts';

export interface JoinOptions {
  readonly token: string;
  readonly server: string;
  readonly out: string;
}

const silenceMs = 30_000;
const authoritySchema = z.object({ authority: z.string() });
const issuedSchema = z.object({ certificate: z.string() });

/** What was written, for the configuration. @throws Failure in the words of the cluster, UsageError */
export async function nodeJoin({ token: text, server, out }: JoinOptions): Promise<string> {
  const token = readJoinToken(text);
  const url = URL.parse(server);
  if (url?.protocol !== 'https:') throw new UsageError('--server is https://HOST:PORT of a node\'s admin API');
  const files = { authority: join(out, 'authority.pem'), certificate: join(out, `${token.node}.pem`), key: join(out, `${token.node}-key.pem`) };
  const there = Object.values(files).find((file) => existsSync(file));
  if (there !== undefined) throw new UsageError(`${there} is there already; nothing was asked, the token is as good as before`);
  const place = { host: url.hostname.replace(/^\[|\]$/g, ''), port: url.port === '' ? 443 : Number(url.port) };
  const authority = await trustedAuthority(place, token);
  const { key, request } = await createSigningRequest({ O: token.cluster, OU: token.role, CN: token.node });
  const target = { ...place, tls: { ca: authority, minVersion: 'TLSv1.2', checkServerIdentity: (_host: string, peer: PeerCertificate) => checkNodeOf(token, peer) } satisfies ConnectionOptions };
  const { certificate } = issuedSchema.parse(await ask(target, { path: joinPaths.join, body: { id: token.id, secret: token.secret, request } }));
  checkIssued({ certificate, key, authority });
  await mkdir(out, { recursive: true, mode: 0o700 });
  await replaceFile(files.key, key);
  await replaceFile(files.authority, authority);
  await replaceFile(files.certificate, certificate);
  return [
    `${token.node} is a ${token.role} of ${token.cluster}; its certificate is valid until ${new X509Certificate(certificate).validToDate.toISOString()}`,
    `clusterAuthority: ${files.authority}`, `nodeCertificate: ${files.certificate}`, `nodeKey: ${files.key}`,
  ].join('\n');
}

/** The authority's certificate is public; that it is the right one says its fingerprint in the token, so whoever hands it over need not be trusted. */
async function trustedAuthority(place: { readonly host: string; readonly port: number }, token: JoinToken): Promise<string> {
  const { authority } = authoritySchema.parse(await ask({ ...place, tls: { rejectUnauthorized: false } }, { path: joinPaths.authority }));
  if (readFingerprint(authority) === token.authority) return authority;
  throw new Failure('forbidden', `what answers at ${place.host}:${String(place.port)} is not of the cluster that made the token: its authority is another; nothing was told to it`);
}

function readFingerprint(authority: string): string | undefined {
  try {
    return fingerprintOf(authority);
  } catch {
    return undefined; // no certificate at all
  }
}

async function ask(target: AdminTarget, { path, body }: { readonly path: string; readonly body?: object }): Promise<unknown> {
  try {
    return await callNode(target, { path, body, silenceMs });
  } catch (error) {
    if (!isFailure(error, 'backend-unavailable') || !(error.cause instanceof Error)) throw error;
    throw new Failure('backend-unavailable', `${target.host}:${String(target.port)} does not answer as a node of the cluster: ${error.cause.message}`, { cause: error });
  }
}

function checkNodeOf({ cluster }: JoinToken, { subject }: PeerCertificate): Error | undefined {
  const isNode = subject.O === cluster && (subject.OU === 'frontend' || subject.OU === 'backend');
  return isNode ? undefined : new Error(`it shows a certificate of ${String(subject.OU)} ${String(subject.CN)}, which is no node of ${cluster}`);
}

function checkIssued({ certificate, key, authority }: { readonly certificate: string; readonly key: string; readonly authority: string }): void {
  const issued = new X509Certificate(certificate);
  const isGood = issued.checkPrivateKey(createPrivateKey(key)) && issued.verify(new X509Certificate(authority).publicKey);
  if (!isGood) throw new Failure('bad-input', 'the certificate that came is not for our key, or not of the authority; nothing was written');
}
