/** The two ways in which a request to a directory fails: the server's own result, or a connection that is of no more use. */
import type { PolicyError } from './result-message.ts';

/** The directory answered a request with a result code other than success (RFC 4511 section 4.1.9). */
export class ResultError extends Error {
  override readonly name = 'ResultError';
  readonly resultCode: number;
  /** What the directory's password policy says of it, where it has one and says so. */
  readonly policyError: PolicyError | undefined;

  constructor(resultCode: number, message: string, policyError?: PolicyError) {
    super(message);
    this.resultCode = resultCode;
    this.policyError = policyError;
  }
}

/** The connection is of no more use: refused, cut, silent beyond the time limit, or the peer answers nonsense. */
export class ConnectionLost extends Error {
  override readonly name = 'ConnectionLost';
  /** `ended`: closed or refused; `silent`: no answer in time; `nonsense`: an answer that is not LDAP, or not to the question. */
  readonly how: 'ended' | 'silent' | 'nonsense';

  constructor(how: 'ended' | 'silent' | 'nonsense', reason: string) {
    super(reason);
    this.how = how;
  }
}

/** Result codes by the names of RFC 4511 section 4.1.9. */
export const resultCodes = {
  operationsError: 1, timeLimitExceeded: 3, sizeLimitExceeded: 4, strongerAuthRequired: 8, referral: 10, adminLimitExceeded: 11, noSuchAttribute: 16,
  constraintViolation: 19, attributeOrValueExists: 20, noSuchObject: 32, inappropriateAuthentication: 48, invalidCredentials: 49, insufficientAccessRights: 50, busy: 51, unavailable: 52,
  unwillingToPerform: 53, entryAlreadyExists: 68, other: 80,
} as const;

/** Whether a Modify that names what it removes came too late: somebody else has changed the value since we read it. */
export function isOvertaken(error: unknown): boolean {
  return error instanceof ResultError && (error.resultCode === resultCodes.noSuchAttribute || error.resultCode === resultCodes.attributeOrValueExists);
}
