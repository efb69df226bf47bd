/** How an operation of the embedded directory fails: result codes by the names of RFC 4511 section 4.1.9. */

export const results = {
  success: 0, operationsError: 1, protocolError: 2, sizeLimitExceeded: 4, compareFalse: 5, compareTrue: 6, authMethodNotSupported: 7,
  strongerAuthRequired: 8, adminLimitExceeded: 11, unavailableCriticalExtension: 12, noSuchAttribute: 16, undefinedAttributeType: 17, constraintViolation: 19,
  attributeOrValueExists: 20, noSuchObject: 32, invalidDNSyntax: 34, invalidCredentials: 49, insufficientAccessRights: 50,
  unavailable: 52, unwillingToPerform: 53, namingViolation: 64, objectClassViolation: 65, notAllowedOnNonLeaf: 66, entryAlreadyExists: 68,
  other: 80,
} as const;

export type ResultName = keyof typeof results;

/** Ends an operation with a result other than success. */
export class Refusal extends Error {
  override readonly name = 'Refusal';
  readonly code: number;
  /** For noSuchObject: the nearest entry above that exists. */
  readonly matchedDn: string;

  constructor(result: ResultName, message: string, matchedDn = '') {
    super(message);
    this.code = results[result];
    this.matchedDn = matchedDn;
  }
}
