/** Makes and checks the demo's data folder. What stands there is kept: certificates are only renewed when they run out. */
import { existsSync } from 'node:fs';
import { mkdir, readFile, readdir, rename, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { hashPasswordSlowly } from '../../shared/ldap/password-hash.ts';
import { createAuthority, isCurrent, issueCertificate } from '../../shared/tls/authority.ts';
import type { CertificateRequest, CertifiedKey } from '../../shared/tls/authority.ts';
import { secretBytes } from '../../shared/base/secret-bytes.ts';
import { seedForge } from '../../shared/tls/random.ts';
import { DemoRefused } from './demo-refused.ts';
import { demoConfigText } from './config-text.ts';
import { demoDirectoryText } from './directory-seed.ts';
import { demoPassword } from './layout.ts';
import type { CertificateFiles, DemoLayout } from './layout.ts';

const clusterName = 'waybill-demo';
/** Certificates with fewer days left are made anew at the start. */
const renewalDays = 30;
/** Files that may lie in a folder before the demo makes it its own: its lock, and what systems leave in new disks. */
const harmless: ReadonlySet<string> = new Set(['demo.lock', 'demo.lock-journal', 'lost+found', '.DS_Store']);

/** Refuses a folder that holds something else, or a demo of another port base. @throws DemoRefused */
export async function checkDataFolder(layout: DemoLayout): Promise<void> {
  if (!existsSync(layout.files.marker)) {
    const found = (await readdir(layout.folder)).filter((name) => !harmless.has(name));
    if (found.length === 0) return;
    throw new DemoRefused(`${layout.folder} holds something else (${found.slice(0, 3).join(', ')}); give an empty or new folder: --data DIR`);
  }
  const marker: unknown = JSON.parse(await readFile(layout.files.marker, 'utf8'));
  const portBase = typeof marker === 'object' && marker !== null && 'portBase' in marker ? marker.portBase : undefined;
  if (portBase === layout.portBase) return;
  throw new DemoRefused(`${layout.folder} holds a demo cluster made with --port-base ${String(portBase)}; start it with that, or give another folder: --data DIR`);
}

/** Brings everything into the folder that is not there yet; says by `progress` what it makes. */
export async function furnishDataFolder(layout: DemoLayout, progress: (text: string) => void): Promise<void> {
  for (const file of [layout.files.authority.key, layout.files.cookieSecret, layout.directory.file, layout.files.log('x')]) {
    await mkdir(dirname(file), { recursive: true, mode: 0o700 });
  }
  if (!existsSync(layout.files.marker)) await writeFile(layout.files.marker, `${JSON.stringify({ cluster: clusterName, portBase: layout.portBase })}\n`);
  seedForge();
  await furnishCertificates(layout, progress);
  await writeOnce(layout.files.cookieSecret, () => `${secretBytes(32).toString('base64url')}\n`);
  await writeOnce(layout.files.readerPassword, () => `${secretBytes(18).toString('base64url')}\n`);
  await writeOnce(layout.files.adminPassword, () => `${demoPassword}\n`);
  if (!existsSync(layout.files.administratorHash)) {
    const hash = await hashPasswordSlowly(demoPassword);
    await writeOnce(layout.files.administratorHash, () => `${hash}\n`);
  }
  const readerPassword = (await readFile(layout.files.readerPassword, 'utf8')).trim();
  if (await writeOnce(layout.directory.file, () => demoDirectoryText(readerPassword))) progress('made the directory with the demo users');
  if (await writeOnce(layout.configFile, () => demoConfigText(layout))) progress(`wrote the configuration ${layout.configFile}`);
}

/** Writes a file that does not exist, readable by its owner only; says whether it did. */
async function writeOnce(file: string, text: () => string): Promise<boolean> {
  if (existsSync(file)) return false;
  await writeFile(`${file}.new`, text(), { mode: 0o600 });
  await rename(`${file}.new`, file);
  return true;
}

async function furnishCertificates(layout: DemoLayout, progress: (text: string) => void): Promise<void> {
  const { authority: authorityFiles, server, node } = layout.files;
  const known = await readPair(authorityFiles);
  const authority = known !== undefined && isCurrent(known, known.certificate, renewalDays) ? known : await createAuthority({ commonName: 'Waybill demo authority', organisation: clusterName });
  const nodes = [...layout.frontends, ...layout.backends];
  const wanted: readonly (readonly [CertificateFiles, CertificateRequest])[] = [
    [server, { subject: { O: clusterName, CN: 'localhost' }, dnsNames: ['localhost'], ipAddresses: ['127.0.0.1', '::1'], usages: ['server'] }],
    ...nodes.map(({ name, role }): readonly [CertificateFiles, CertificateRequest] =>
      [node(name), { subject: { O: clusterName, OU: role, CN: name }, dnsNames: [name, 'localhost'], ipAddresses: ['127.0.0.1'], usages: ['server', 'client'] }]),
  ];
  const missing = await Promise.all(wanted.map(async ([files, request]) => {
    const pair = await readPair(files);
    return pair !== undefined && isCurrent(authority, pair.certificate, renewalDays) ? [] : [{ files, request }];
  }));
  if (authority !== known) await writePair(authorityFiles, authority);
  const issued = await Promise.all(missing.flat().map(async ({ files, request }) => { await writePair(files, await issueCertificate(authority, request)); }));
  if (issued.length > 0) progress(`made ${issued.length} certificates of the demo's own authority`);
}

async function readPair(files: CertificateFiles): Promise<CertifiedKey | undefined> {
  if (!existsSync(files.certificate) || !existsSync(files.key)) return undefined;
  const [certificate, key] = await Promise.all([readFile(files.certificate, 'utf8'), readFile(files.key, 'utf8')]);
  return { certificate, key };
}

async function writePair(files: CertificateFiles, pair: CertifiedKey): Promise<void> {
  await writeFile(files.key, pair.key, { mode: 0o600 });
  await writeFile(files.certificate, pair.certificate, { mode: 0o644 });
}
