/** When the certificates of a node end, so that somebody is told before. */
import { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { gauge, whenMeasured } from '../shared/metrics/metrics.ts';
import type { NodeConfig } from './effective.ts';

const expiry = gauge({ name: 'waybill_certificate_expiry_timestamp_seconds', unit: 'seconds', help: 'When a certificate ends, in seconds since 1970; of several workers the earliest. `virtual` stands for the virtual hosts: the first of them to end.', labels: ['certificate'], combine: 'min' });

const readEveryMs = 60_000;

/** Begins; files that can't be read are told of elsewhere, and have no value here. */
export function measureCertificates({ tls }: NodeConfig): void {
  let readAtMs = -Infinity;
  whenMeasured(() => {
    if (performance.now() - readAtMs < readEveryMs) return;
    readAtMs = performance.now();
    expiry.clear();
    const files: readonly (readonly [string, readonly (string | undefined)[]])[] = [
      ['clients', [tls.certificate]], ['node', [tls.nodeCertificate]], ['authority', [tls.clusterAuthority]], ['virtual', tls.virtualHosts.map(({ certificate }) => certificate)],
    ];
    for (const [certificate, paths] of files) {
      const ends = paths.flatMap((path) => (path === undefined ? [] : endOf(path)));
      if (ends.length > 0) expiry.set({ certificate }, Math.min(...ends));
    }
  });
}

function endOf(path: string): number[] {
  try {
    return [Math.floor(new X509Certificate(readFileSync(path)).validToDate.getTime() / 1000)];
  } catch {
    return [];
  }
}
