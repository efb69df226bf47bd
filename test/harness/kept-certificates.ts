/**
 * Certificates of authorities that exist for tests only, made once for all processes of tests: a key costs a fifth of a second of a
 * processor, and most test files want some. They stay in `.runtime` for as long as the code that makes them is the same.
 */
import { createHash, X509Certificate } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { CertificateRequest, CertifiedKey } from '../../shared/tls/authority.ts';

const root = join(import.meta.dirname, '..', '..');
const folder = join(root, '.runtime', 'test-certificates');
const maker = readFileSync(join(root, 'shared', 'tls', 'authority.ts'));

/** Enough for the longest of runs. */
const leastLeftMs = 86_400_000;

export interface Wanted {
  readonly authority: { readonly commonName: string; readonly organisation?: string };
  /** By any names. */
  readonly certificates: Readonly<Record<string, CertificateRequest>>;
}

export interface Kept {
  readonly authority: CertifiedKey;
  readonly certificates: Readonly<Record<string, CertifiedKey>>;
}

const times = new Map<string, number>();

/** Whoever wants the same twice in one process gets other keys of another authority, as strangers to the first; so do all who want something else. */
export async function keptCertificates(wanted: Wanted): Promise<Kept> {
  const text = JSON.stringify(wanted);
  const time = times.get(text) ?? 0;
  times.set(text, time + 1);
  const file = join(folder, `${createHash('sha256').update(maker).update(text).update(String(time)).digest('hex')}.json`);
  const kept = existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) as Kept : undefined;
  if (kept !== undefined && [kept.authority, ...Object.values(kept.certificates)].every(isGood)) return kept;
  const made = await make(wanted);
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const draft = `${file}.${String(process.pid)}`;
  writeFileSync(draft, JSON.stringify(made), { mode: 0o600 });
  renameSync(draft, file); // others read it whole, or make their own
  return made;
}

function isGood({ certificate }: CertifiedKey): boolean {
  return new X509Certificate(certificate).validToDate.getTime() > Date.now() + leastLeftMs;
}

/** What it takes is loaded here, where it is needed. */
async function make({ authority: about, certificates }: Wanted): Promise<Kept> {
  const { createAuthority, issueCertificate } = await import('../../shared/tls/authority.ts');
  const authority = await createAuthority(about);
  const issued = await Promise.all(Object.entries(certificates).map(async ([name, request]) => [name, await issueCertificate(authority, request)] as const));
  return { authority, certificates: Object.fromEntries(issued) };
}
