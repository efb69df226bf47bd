/**
 * The cluster's own certificate authority: makes it, and issues certificates for nodes and for clients to see. Keys come
 * from node:crypto (RSA: node-forge can't sign with elliptic curves); node-forge assembles and signs the X.509 (RFC 5280).
 */
import { X509Certificate, generateKeyPair } from 'node:crypto';
import { isIP } from 'node:net';
import { promisify } from 'node:util';
import forge from 'node-forge';
import { secretBytes } from '../base/secret-bytes.ts';

/** A certificate with its private key, both as PEM text. */
export interface CertifiedKey {
  readonly certificate: string;
  readonly key: string;
}

/** Who a certificate is for: organisation, organisational unit, common name. Nodes: O = cluster, OU = role, CN = node. */
export interface Subject {
  readonly CN: string;
  readonly O?: string | undefined;
  readonly OU?: string | undefined;
}

export interface CertificateRequest {
  readonly subject: Subject;
  readonly dnsNames: readonly string[];
  readonly ipAddresses: readonly string[];
  readonly usages: readonly ('server' | 'client')[];
  /** 825 when absent: the most that common mail programs accept. */
  readonly validDays?: number | undefined;
}

const authorityDays = 3650;
const certificateDays = 825;
const dayMs = 86_400_000;
/** Certificates count from an hour ago, so that a slow clock elsewhere takes them. */
const clockSkewMs = 3_600_000;

const generateKeys = promisify(generateKeyPair);

/** A new authority that signs itself, valid for ten years. */
export async function createAuthority(options: { readonly commonName: string; readonly organisation?: string }): Promise<CertifiedKey> {
  const keys = await newKeys();
  const subject = { CN: options.commonName, O: options.organisation };
  const certificate = certify({
    subject,
    issuer: subject,
    publicKey: keys.publicKey,
    signingKey: keys.key,
    validDays: authorityDays,
    extensions: [
      { name: 'basicConstraints', cA: true, pathLenConstraint: 0, critical: true },
      { name: 'keyUsage', keyCertSign: true, cRLSign: true, critical: true },
      { name: 'subjectKeyIdentifier' },
    ],
  });
  return { certificate, key: keys.key };
}

/** Issues a certificate with a new key of its own. */
export async function issueCertificate(authority: CertifiedKey, request: CertificateRequest): Promise<CertifiedKey> {
  const { key, publicKey } = await newKeys();
  return { certificate: certifyKey(authority, request, publicKey), key };
}

/** Issues a certificate for a public key (PEM) whose private key is elsewhere. */
export function certifyKey(authority: CertifiedKey, request: CertificateRequest, publicKey: string): string {
  const issuer = forge.pki.certificateFromPem(authority.certificate);
  return certify({
    subject: request.subject,
    issuer: issuer.subject.attributes,
    publicKey,
    signingKey: authority.key,
    validDays: request.validDays ?? certificateDays,
    extensions: [
      { name: 'basicConstraints', cA: false, critical: true },
      { name: 'keyUsage', digitalSignature: true, keyEncipherment: true, critical: true },
      { name: 'extKeyUsage', serverAuth: request.usages.includes('server'), clientAuth: request.usages.includes('client') },
      { name: 'subjectAltName', altNames: alternativeNames(request) },
      { name: 'subjectKeyIdentifier' },
      { name: 'authorityKeyIdentifier', keyIdentifier: issuer.generateSubjectKeyIdentifier().getBytes() },
    ],
  });
}

/** Whether the authority signed the certificate and it stays valid for so many days more. */
export function isCurrent(authority: Pick<CertifiedKey, 'certificate'>, certificate: string, daysLeft: number): boolean {
  const issued = new X509Certificate(certificate);
  const issuer = new X509Certificate(authority.certificate);
  return issued.checkIssued(issuer) && issued.verify(issuer.publicKey) && issued.validToDate.getTime() > Date.now() + daysLeft * dayMs;
}

/** A new RSA key, as PEM. */
export async function newKeys(): Promise<{ readonly key: string; readonly publicKey: string }> {
  const { privateKey, publicKey } = await generateKeys('rsa', {
    modulusLength: 2048,
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
    publicKeyEncoding: { type: 'spki', format: 'pem' },
  });
  return { key: privateKey, publicKey };
}

interface Certification {
  readonly subject: Subject;
  readonly issuer: Subject | forge.pki.CertificateField[];
  readonly publicKey: string;
  readonly signingKey: string;
  readonly validDays: number;
  readonly extensions: readonly object[];
}

function certify(certification: Certification): string {
  const certificate = forge.pki.createCertificate();
  const now = Date.now();
  certificate.publicKey = forge.pki.publicKeyFromPem(certification.publicKey);
  // Positive and 16 bytes long: 01, then 15 random bytes (RFC 5280 section 4.1.2.2).
  certificate.serialNumber = `01${secretBytes(15).toString('hex')}`;
  certificate.validity.notBefore = new Date(now - clockSkewMs);
  certificate.validity.notAfter = new Date(now + certification.validDays * dayMs);
  certificate.setSubject(nameFields(certification.subject));
  certificate.setIssuer(Array.isArray(certification.issuer) ? certification.issuer : nameFields(certification.issuer as Subject));
  certificate.setExtensions([...certification.extensions]);
  certificate.sign(forge.pki.privateKeyFromPem(certification.signingKey), forge.md.sha256.create());
  return forge.pki.certificateToPem(certificate).replaceAll('\r\n', '\n');
}

/** In the order that directories use: O, OU, CN; UTF-8 strings, as names may hold any letter. */
export function nameFields(subject: Subject): forge.pki.CertificateField[] {
  return (['O', 'OU', 'CN'] as const).flatMap((shortName) => {
    const value = subject[shortName];
    return value === undefined ? [] : [{ shortName, value, valueTagClass: forge.asn1.Type.UTF8 as unknown as forge.asn1.Class }];
  });
}

/** GeneralName types of RFC 5280 section 4.2.1.6: 2 = DNS name, 7 = IP address. */
function alternativeNames(request: CertificateRequest): readonly object[] {
  const wrong = request.ipAddresses.find((address) => isIP(address) === 0);
  if (wrong !== undefined) throw new TypeError(`"${wrong}" is not an IP address`);
  return [...request.dnsNames.map((value) => ({ type: 2, value })), ...request.ipAddresses.map((ip) => ({ type: 7, ip }))];
}
