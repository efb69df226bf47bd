/** Parameters of certificates that come from an ACME server (RFC 8555). */
import { z } from 'zod';
import { domainName, fileName } from '../values.ts';

export const acme = z
  .strictObject({
    node: z.string().describe('The back-end that orders and renews them, and gives them to all nodes.'),
    termsOfServiceAgreed: z.literal(true, 'is true once you have read the terms of service of the ACME server and agree').describe('You have read the terms of service of the ACME server and agree.'),
    directoryUrl: z.url({ protocol: /^https$/ }).default('https://acme-v02.api.letsencrypt.org/directory').describe('The ACME server. To try: https://acme-staging-v02.api.letsencrypt.org/directory'),
    contacts: z.array(z.email()).max(10).default([]).describe('Mail addresses that the server may write to.'),
    folder: fileName('On that back-end: the account\'s key, and the certificates with theirs.'),
    ca: fileName().optional().describe('PEM file: the authorities by which a private ACME server is known.'),
    names: z.array(domainName).max(100).default([]).describe('The host names for which `tls.certificate` and `tls.key` are kept by ACME; by hand when empty. Names of virtual hosts: see `acme` there.'),
  })
  .optional()
  .describe('Certificates for clients from an ACME server, proven by http-01: port 80 of the names must lead to WebMail listeners of front-ends without TLS.');
