/** The SASL mechanisms that front-ends can offer, as administrators name them. */

/** The preferred ones first. The variants -PLUS of SCRAM come with theirs. */
export const authTypes = ['EXTERNAL', 'SCRAM-SHA-256', 'SCRAM-SHA-1', 'OAUTHBEARER', 'XOAUTH2', 'PLAIN', 'LOGIN'] as const;
export type AuthType = (typeof authTypes)[number];
