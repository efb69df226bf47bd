/** Short-lived certificates for tests, made by the openssl program: a CA, and leaves whose subjects carry cluster, role and node. */
import { execFileSync } from 'node:child_process';
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';

export interface TestCertificate {
  readonly certificate: string;
  readonly key: string;
  readonly authority: string;
}

/** Makes one CA and a certificate for each node, valid for `localhost` and 127.0.0.1. PEM texts. */
export function makeCertificates(nodes: Readonly<Record<string, 'frontend' | 'backend'>>): Readonly<Record<string, TestCertificate>> {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'waybill-certificates-'));
  const openssl = (...words: string[]): void => {
    execFileSync('openssl', words, { cwd: folder, stdio: 'pipe' });
  };
  const read = (name: string): string => fs.readFileSync(path.join(folder, name), 'utf8');
  const newKey = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
  try {
    openssl('req', '-x509', ...newKey, '-keyout', 'ca.key', '-out', 'ca.pem', '-days', '2', '-subj', '/O=test/CN=test CA');
    fs.writeFileSync(path.join(folder, 'leaf.cnf'), 'subjectAltName=DNS:localhost,IP:127.0.0.1\n');
    return Object.fromEntries(Object.entries(nodes).map(([node, role]) => {
      openssl('req', ...newKey, '-keyout', `${node}.key`, '-out', `${node}.csr`, '-subj', `/O=test/OU=${role}/CN=${node}`);
      openssl('x509', '-req', '-in', `${node}.csr`, '-CA', 'ca.pem', '-CAkey', 'ca.key', '-CAcreateserial', '-days', '2', '-extfile', 'leaf.cnf', '-out', `${node}.pem`);
      return [node, { certificate: read(`${node}.pem`), key: read(`${node}.key`), authority: read('ca.pem') }];
    }));
  } finally {
    fs.rmSync(folder, { recursive: true });
  }
}
