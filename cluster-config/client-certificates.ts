/** The certificates shown to clients, read from the files that the configuration names and checked: the pairs belong together, and are for somebody, and for now. */
import { X509Certificate, createPrivateKey } from 'node:crypto';
import { Failure } from '../shared/base/failure.ts';
import { NameTable, namesOf } from '../shared/net/server-names.ts';
import type { NodeConfig } from './effective.ts';
import { endWords } from './certificate-ends.ts';
import { readNamedFile } from './held-files.ts';

/** PEM texts, and the host names that it is shown for: none for the one that everybody else gets. */
export interface ClientCertificate {
  readonly names: readonly string[];
  readonly certificate: string;
  readonly key: string;
  /** What completes names without a domain under these host names. */
  readonly primaryDomain: string | undefined;
  /** What an administrator should mend soon; it works all the same. */
  readonly warnings: readonly string[];
}

interface Pair {
  /** As the parameter is called: `tls`, or `tls.virtualHosts[0]`. */
  readonly parameter: string;
  readonly certificateFile: string;
  readonly keyFile: string;
  readonly names: readonly string[];
  readonly primaryDomain: string | undefined;
  readonly warnDays: number;
}

/** Reads them all, the default one first. @throws Failure('bad-input') that names the parameter and the file; the cause is the system's where a file can't be read */
export async function readClientCertificates(config: Pick<NodeConfig, 'tls' | 'nodeName'>): Promise<readonly [ClientCertificate, ...ClientCertificate[]]> {
  const { certificate, key, virtualHosts, warnDays } = config.tls;
  if (certificate === undefined || key === undefined) throw new Failure('bad-input', `tls.${certificate === undefined ? 'certificate' : 'key'} is not set for node ${config.nodeName}`);
  const main = await readPair({ parameter: 'tls', certificateFile: certificate, keyFile: key, names: [], primaryDomain: undefined, warnDays });
  return [{ ...main, names: [] }, ...await Promise.all(virtualHosts.map(async (host, index) =>
    readPair({ parameter: `tls.virtualHosts[${String(index)}]`, certificateFile: host.certificate, keyFile: host.key, names: host.names, primaryDomain: host.primaryDomain, warnDays })))];
}

async function readPair(pair: Pair): Promise<ClientCertificate> {
  const certificate = await readText(`${pair.parameter}.certificate`, pair.certificateFile);
  const key = await readText(`${pair.parameter}.key`, pair.keyFile);
  const parsed = parse(`${pair.parameter}.certificate: ${pair.certificateFile} holds no certificate`, () => new X509Certificate(certificate));
  const privateKey = parse(`${pair.parameter}.key: ${pair.keyFile} holds no private key`, () => createPrivateKey(key));
  if (!parsed.checkPrivateKey(privateKey)) throw new Failure('bad-input', `${pair.parameter}: ${pair.keyFile} is not the key of the certificate in ${pair.certificateFile}`);
  const own = namesOf(parsed);
  const names = pair.names.length > 0 ? pair.names : own;
  if (names.length === 0 && pair.parameter !== 'tls') throw new Failure('bad-input', `${pair.parameter}: the certificate in ${pair.certificateFile} has no host names; give them as names`);
  return { names, certificate, key, primaryDomain: pair.primaryDomain, warnings: warningsOf(pair, parsed) };
}

async function readText(parameter: string, file: string): Promise<string> {
  try {
    return await readNamedFile(file);
  } catch (cause) {
    throw new Failure('bad-input', `${parameter}: ${file} can't be read: ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
  }
}

function parse<Value>(complaint: string, read: () => Value): Value {
  try {
    return read();
  } catch (cause) {
    throw new Failure('bad-input', `${complaint}: ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
  }
}

function warningsOf({ parameter, certificateFile, names, warnDays }: Pair, certificate: X509Certificate): readonly string[] {
  const subject = `${parameter}.certificate: the certificate in ${certificateFile}`;
  const covered = new NameTable([{ names: namesOf(certificate), value: 'yes' }]);
  const strange = names.filter((name) => covered.find(name) === undefined);
  return [
    ...endWords(certificate, warnDays).map((words) => `${subject} ${words}`),
    ...(certificate.validFromDate.getTime() > Date.now() ? [`${subject} is not valid before ${certificate.validFrom}`] : []),
    ...(strange.length > 0 ? [`${subject} is not for ${strange.join(', ')}`] : []),
  ];
}
