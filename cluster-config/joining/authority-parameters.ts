/** Parameters of the cluster's authority: where its key lies, and how long node certificates live. */
import { z } from 'zod';
import { fileName, secret, wholeNumber } from '../values.ts';

export const authorityKey = z
  .strictObject({
    node: z.string().describe('The back-end that keeps it, and issues and renews the certificates of all nodes.'),
    file: fileName('The sealed key on that back-end, as `waybill node authority` writes it (scrypt, AES-256-GCM). FILE.tokens beside it is the folder of one-time tokens.'),
    passphrase: secret.describe('The passphrase it is sealed with; read on that back-end only.'),
    certificateDays: wholeNumber({ min: 1, max: 825 }).default(90).describe('How long a node certificate that is issued there is valid. It is renewed when two thirds of that are over.'),
  })
  .optional()
  .describe('The private key of `clusterAuthority`, with which node certificates are issued (`waybill node join`) and renewed. Without it they are made and renewed by hand.');
