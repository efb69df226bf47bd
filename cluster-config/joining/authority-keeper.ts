/** The back-end that keeps the authority's key: makes tokens, and signs certificates for those who bring one and for nodes that renew theirs. */
import { X509Certificate, createPrivateKey } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { isIP } from 'node:net';
import { Failure } from '../../shared/base/failure.ts';
import { seedForge } from '../../shared/tls/random.ts';
import { certifyKey } from '../../shared/tls/authority.ts';
import type { CertifiedKey } from '../../shared/tls/authority.ts';
import type { NodeIdentity } from '../../shared/tls/identity.ts';
import { writeJoinToken } from '../../shared/tls/join-token.ts';
import { openSealedKey } from '../../shared/tls/sealed-key.ts';
import { readSigningRequest } from '../../shared/tls/signing-request.ts';
import type { NodeConfig } from '../effective.ts';
import { readSecret } from '../secret.ts';
import { TokenFolder } from './token-folder.ts';

export type KeptAuthority = NonNullable<NodeConfig['tls']['authorityKey']>;

export interface TokenWish {
  readonly node: string;
  readonly role: 'frontend' | 'backend';
  readonly validMinutes: number;
  /** Names and addresses of the certificate, beside what the configuration says. */
  readonly hosts: readonly string[];
}

export interface JoinRequest {
  readonly id: string;
  readonly secret: string;
  /** PEM. */
  readonly request: string;
}

export class AuthorityKeeper {
  readonly #config: NodeConfig;
  readonly #kept: KeptAuthority;
  readonly #environment: Readonly<Record<string, string | undefined>>;
  readonly #tokens: TokenFolder;

  constructor(config: NodeConfig, kept: KeptAuthority, environment: Readonly<Record<string, string | undefined>>) {
    this.#config = config;
    this.#kept = kept;
    this.#environment = environment;
    this.#tokens = new TokenFolder(`${kept.file}.tokens`);
  }

  /** @throws Failure when the configuration has the node in another role, or the key can't be opened: better now than when the node comes */
  async makeToken({ node, role, validMinutes, hosts }: TokenWish): Promise<{ readonly token: string; readonly expiresAt: string }> {
    const known = this.#config.nodes[node];
    if (known !== undefined && known.role !== role) throw new Failure('bad-input', `${node} is a ${known.role} in the configuration, not a ${role}`);
    const { certificate } = await this.#open();
    const expiresAt = new Date(Date.now() + validMinutes * 60_000).toISOString();
    const made = await this.#tokens.make({ node, role, expiresAt, hosts: [...hosts] });
    return { token: writeJoinToken({ cluster: this.#config.clusterName, node, role, authority: fingerprintOf(certificate), ...made }), expiresAt };
  }

  /** The certificate, PEM. A token is used up only by a request that is in order. @throws Failure in precise words */
  async join({ id, secret, request }: JoinRequest): Promise<string> {
    const record = await this.#tokens.look({ id, secret });
    const { subject, publicKey } = readSigningRequest(request);
    if (subject.CN !== record.node || subject.OU !== record.role) {
      throw new Failure('forbidden', `the token is for ${record.role} ${record.node}, not for ${String(subject.OU)} ${String(subject.CN)}`);
    }
    const authority = await this.#open();
    await this.#tokens.use({ id }, record);
    return this.#sign(authority, record, { publicKey, hosts: record.hosts });
  }

  /** For a node that showed its present certificate, whose names the new one keeps. @throws Failure */
  async renew(identity: NodeIdentity, present: X509Certificate, request: string): Promise<string> {
    const { subject, publicKey } = readSigningRequest(request);
    if (subject.CN !== identity.node || subject.OU !== identity.role) throw new Failure('forbidden', `${identity.role} ${identity.node} asks for a certificate of ${String(subject.OU)} ${String(subject.CN)}`);
    return this.#sign(await this.#open(), identity, { publicKey, hosts: hostsOf(present) });
  }

  #sign(authority: CertifiedKey, { node, role }: Pick<NodeIdentity, 'node' | 'role'>, { publicKey, hosts }: { readonly publicKey: string; readonly hosts: readonly string[] }): string {
    seedForge();
    const all = [...new Set([node, ...hosts, ...(this.#config.nodes[node] === undefined ? [] : [this.#config.nodes[node].host])])];
    return certifyKey(authority, {
      subject: { O: this.#config.clusterName, OU: role, CN: node },
      dnsNames: all.filter((host) => isIP(host) === 0), ipAddresses: all.filter((host) => isIP(host) !== 0),
      usages: ['server', 'client'], validDays: this.#kept.certificateDays,
    }, publicKey);
  }

  /** For one signature; the open key is kept nowhere. */
  async #open(): Promise<CertifiedKey> {
    const certificate = await readFile(this.#config.tls.clusterAuthority ?? '', 'utf8');
    const sealed = await readFile(this.#kept.file, 'utf8').catch((cause: unknown) => {
      throw new Failure('bad-input', `tls.authorityKey.file: ${this.#kept.file} can't be read on ${this.#config.nodeName}; \`waybill node authority\` makes it`, { cause });
    });
    const key = await openSealedKey(sealed, await readSecret(this.#kept.passphrase, this.#environment)).catch((cause: unknown) => {
      throw new Failure('bad-input', `tls.authorityKey: ${this.#kept.file} can't be opened: ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
    });
    requirePair({ certificate, key });
    return { certificate, key };
  }
}

/** @throws Failure('bad-input') when the key is not that of the authority */
export function requirePair({ certificate, key }: CertifiedKey): void {
  if (!new X509Certificate(certificate).checkPrivateKey(createPrivateKey(key))) throw new Failure('bad-input', 'the key is not that of the certificate in tls.clusterAuthority');
}

/** SHA-256 of a certificate (PEM), hexadecimal. */
export function fingerprintOf(certificate: string): string {
  return new X509Certificate(certificate).fingerprint256.replaceAll(':', '').toLowerCase();
}

/** DNS names and IP addresses of the subjectAltName. */
function hostsOf({ subjectAltName }: X509Certificate): readonly string[] {
  return [...(subjectAltName ?? '').matchAll(/(?:DNS|IP Address):([^,\s"]+)/g)].flatMap(([, host]) => host ?? []);
}
