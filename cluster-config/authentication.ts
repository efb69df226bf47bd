/** How users prove who they are: the mechanisms that mail services offer, and whose tokens are taken. */
import { z } from 'zod';
import { authTypes } from '../shared/sasl/auth-types.ts';
import { scramIterations as usualIterations } from '../shared/sasl/scram-keys.ts';
import { fileName, wholeNumber } from './values.ts';

const authType = z.enum(authTypes);

/** The same for each service of a front-end that users log in to. */
export const loginParameters = {
  secureConnAuthTypes: z.array(authType).max(authTypes.length).optional().describe('SASL mechanisms offered on TLS connections, as far as all user maps can verify them; all of those when absent. SCRAM comes with its variant -PLUS.'),
  plainConnAuthTypes: z.array(authType).max(authTypes.length).default([]).describe('SASL mechanisms offered on connections without TLS.'),
  allowClearTextLogin: z.boolean().default(false).describe('Whether passwords and tokens may come without TLS: the commands LOGIN, USER and PASS, and of `plainConnAuthTypes` all but SCRAM.'),
};

const issuer = z.strictObject({
  issuer: z.string().min(1).max(1000).describe('Must be the token\'s `iss`, letter by letter.'),
  audience: z.string().min(1).max(1000).describe('Must be among the token\'s `aud`.'),
  keysFile: fileName('The issuer\'s public keys, a JSON Web Key Set (RFC 7517) for RS256, ES256 or EdDSA; read again when it changes.'),
  addressClaim: z.string().min(1).max(255).default('email').describe('The claim that holds the user\'s address.'),
  requiredScope: z.string().regex(/^[\x21\x23-\x5b\x5d-\x7e]+$/, 'is not one scope').max(255).optional().describe('Must be among the token\'s scopes.'),
});

export const oauth = z
  .strictObject({ issuers: z.array(issuer).max(32).default([]).describe('Whose tokens are good here.') })
  .refine(({ issuers }) => new Set(issuers.map((one) => one.issuer)).size === issuers.length, 'names an issuer twice')
  .prefault({})
  .describe('Log-in by OAuth tokens (OAUTHBEARER and XOAUTH2): JSON Web Tokens, checked by their issuers\' keys.');

export const scramIterations = wholeNumber({ min: 4096, max: 1_000_000 })
  .default(usualIterations)
  .describe('SCRAM: the count told for users whose entries hold the password in the clear, and for names that nobody has. Set it to that of your stored keys, so that nobody can tell who exists.');

export const scramTypes = z
  .array(z.enum(['SCRAM-SHA-256', 'SCRAM-SHA-1']))
  .max(2)
  .default([])
  .describe('SCRAM mechanisms by which every user of this map can be checked: the entries hold its keys ({SCRAM-SHA-256}…), or the password in the clear. Mail programs that prefer SCRAM don\'t try anything else.');
