/** How users prove who they are: the mechanisms that mail services offer, and whose tokens are taken. */
import { z } from 'zod';
import { authTypes } from '../shared/sasl/auth-types.ts';
import { scramIterations as usualIterations } from '../shared/sasl/scram-keys.ts';
import { fileName, network, wholeNumber } from './values.ts';

const authType = z.enum(authTypes);

/** The same for each service of a front-end that users log in to, WebMail too. */
export const passwordParameters = {
  authenticateOnProxy: z
    .enum(['only', 'also', 'no'])
    .default('only')
    .describe('Where passwords are checked of users whom an LDAP map knows: `only` at the proxy, whose word the back-ends take; `no`: at the back-end, which is sent name and password; `also`: at both. Passwords of all others are checked at their back-end.'),
};

/** The same for each mail service of a front-end that users log in to. */
export const loginParameters = {
  ...passwordParameters,
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

export const guessing = z
  .strictObject({
    freeAttempts: wholeNumber({ min: 0, max: 1000 }).default(3).describe('Different wrong passwords, from one client network or for one account, that cost nothing. A program that repeats one counts once.'),
    firstDelayMilliseconds: wholeNumber({ min: 10, max: 60_000 }).default(500).describe('The first delay; it doubles with each further wrong password.'),
    longestRefusalSeconds: wholeNumber({ min: 1, max: 300 }).default(15).describe('How long the refusal of a wrong password is held back at most.'),
    longestWaitSeconds: wholeNumber({ min: 0, max: 60 }).default(3).describe('How long a client has to wait at most before its password is checked, because others in its network guess. Who logged in from there within a day doesn\'t wait.'),
    forgetSeconds: wholeNumber({ min: 1, max: 86_400 }).default(600).describe('Wrong passwords are forgotten when there was none for so long.'),
    ipv6PrefixBits: wholeNumber({ min: 16, max: 128 }).default(64).describe('IPv6 clients in one network of this prefix count as one, here and for the limits for each peer.'),
    trustedNetworks: z.array(network).max(1000).default([]).describe('Clients that never wait and are not counted: monitoring, other front-ends.'),
  })
  .prefault({})
  .describe('How front-ends slow down the guessing of passwords. All workers of a node count together.');

export const scramIterations = wholeNumber({ min: 4096, max: 1_000_000 })
  .default(usualIterations)
  .describe('SCRAM: the count told for users whose entries hold the password in the clear, and for names that nobody has. Set it to that of your stored keys, so that nobody can tell who exists.');

export const scramTypes = z
  .array(z.enum(['SCRAM-SHA-256', 'SCRAM-SHA-1']))
  .max(2)
  .default([])
  .describe('SCRAM mechanisms by which every user of this map can be checked: the entries hold its keys ({SCRAM-SHA-256}…), or the password in the clear. Mail programs that prefer SCRAM don\'t try anything else.');
