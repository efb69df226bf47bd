/** When the certificates of a node end: told to whoever watches the counters, looks at /readyz, or reads the log. */
import { X509Certificate } from 'node:crypto';
import { gauge, whenMeasured } from '../shared/metrics/metrics.ts';
import type { Logger } from '../shared/log/log.ts';
import type { NodeConfig } from './effective.ts';
import { readNamedFileSync } from './held-files.ts';

const expiry = gauge({ name: 'waybill_certificate_expiry_timestamp_seconds', unit: 'seconds', help: 'When a certificate ends, in seconds since 1970; of several workers the earliest. `virtual` stands for the virtual hosts: the first of them to end.', labels: ['certificate'], combine: 'min' });
const ending = gauge({ name: 'waybill_certificates_ending', help: 'Certificates in use that are over, or will be within tls.warnDays.', labels: [], combine: 'max' });

const readEveryMs = 60_000;
const sayEveryMs = 43_200_000;
const dayMs = 86_400_000;

export interface CertificateEnd {
  /** Its label in the counters. */
  readonly certificate: 'clients' | 'node' | 'authority' | 'virtual';
  /** The parameter that names it. */
  readonly parameter: string;
  readonly file: string;
  readonly endsAtMs: number;
  readonly standing: 'good' | 'ending' | 'over';
  /** What of it an administrator should know: none, while there is time. */
  readonly words: readonly string[];
}

function standingOf(endsAtMs: number, warnDays: number): CertificateEnd['standing'] {
  const leftMs = endsAtMs - Date.now();
  if (leftMs <= 0) return 'over';
  return leftMs < warnDays * dayMs ? 'ending' : 'good';
}

/** What is said of a certificate that ends within so many days, or has ended. */
export function endWords({ validTo, validToDate }: Pick<X509Certificate, 'validTo' | 'validToDate'>, warnDays: number): readonly string[] {
  const standing = standingOf(validToDate.getTime(), warnDays);
  return standing === 'good' ? [] : [`${standing === 'over' ? 'expired' : 'expires'} on ${validTo}`];
}

/** What is to be told of the certificates in use now; those that can't be read are told of elsewhere. */
export function endingCertificates(config: Pick<NodeConfig, 'tls'>): readonly string[] {
  return certificateEnds(config).flatMap(({ words }) => words);
}

/** Begins to count. */
export function measureCertificates(config: NodeConfig): void {
  let readAtMs = -Infinity;
  whenMeasured(() => {
    if (performance.now() - readAtMs < readEveryMs) return;
    readAtMs = performance.now();
    expiry.clear();
    const ends = certificateEnds(config);
    for (const { certificate } of ends) expiry.set({ certificate }, Math.floor(Math.min(...ends.filter((one) => one.certificate === certificate).map(({ endsAtMs }) => endsAtMs)) / 1000));
    ending.set({}, ends.filter(({ words }) => words.length > 0).length);
  });
}

/** Says it twice a day; at the start, and when files change, workers do. */
export function sayEnds(log: Logger, config: () => NodeConfig): { close(): void } {
  const timer = setInterval(() => {
    for (const words of endingCertificates(config())) log.warn(words);
  }, sayEveryMs).unref();
  return { close: () => clearInterval(timer) };
}

/** The certificates in use that can be read. */
export function certificateEnds({ tls }: Pick<NodeConfig, 'tls'>): readonly CertificateEnd[] {
  const places: readonly (readonly [CertificateEnd['certificate'], string, string | undefined])[] = [
    ['clients', 'tls.certificate', tls.certificate], ['node', 'tls.nodeCertificate', tls.nodeCertificate], ['authority', 'tls.clusterAuthority', tls.clusterAuthority],
    ...tls.virtualHosts.map(({ certificate }, index) => ['virtual', `tls.virtualHosts[${String(index)}].certificate`, certificate] as const),
  ];
  return places.flatMap(([certificate, parameter, file]) => {
    const read = file === undefined ? undefined : readCertificate(file);
    if (file === undefined || read === undefined) return [];
    const endsAtMs = read.validToDate.getTime();
    return [{ certificate, parameter, file, endsAtMs, standing: standingOf(endsAtMs, tls.warnDays), words: endWords(read, tls.warnDays).map((words) => `${parameter}: the certificate in ${file} ${words}`) }];
  });
}

function readCertificate(file: string): X509Certificate | undefined {
  try {
    return new X509Certificate(readNamedFileSync(file));
  } catch {
    return undefined;
  }
}
