/** The messages of OAUTHBEARER (RFC 7628) and XOAUTH2: a token, perhaps the name it is for, and the answer to a bad one. Pure. */
import { Failure } from '../base/failure.ts';

export type BearerMechanism = 'OAUTHBEARER' | 'XOAUTH2';

export interface BearerClaim {
  /** The account that the client names; undefined when the token alone says it. */
  readonly user: string | undefined;
  readonly token: string;
}

const longestMessage = 16_384;
const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
/** RFC 7628 section 3.1: a GS2 header without channel binding, key/value pairs, each ended by ^A, and one ^A more. */
const oauthBearer = /^[ny],(?:a=(?<user>[^,\0\x01]+))?,\x01(?<pairs>(?:[A-Za-z]+=[^\0\x01]*\x01)*)\x01$/u;
const xoauth2 = /^user=(?<user>[^\0\x01]*)\x01(?<pairs>(?:[A-Za-z]+=[^\0\x01]*\x01)*)\x01$/u;
/** RFC 6750 section 2.1. */
const bearerValue = /^auth=Bearer +(?<token>[A-Za-z0-9._~+/-]+=*)$/i;

/** Reads the client's message. @throws Failure `bad-input` when it is none */
export function readBearer(mechanism: BearerMechanism, response: Buffer): BearerClaim {
  const found = (mechanism === 'OAUTHBEARER' ? oauthBearer : xoauth2).exec(textOf(response))?.groups;
  const values = (found?.['pairs'] ?? '').split('\x01').map((pair) => bearerValue.exec(pair)?.groups?.['token']).filter((token) => token !== undefined);
  const [token] = values;
  if (found === undefined || token === undefined || values.length > 1) throw malformed();
  const user = found['user'] ?? '';
  // Only the GS2 header has commas and equals signs to escape (RFC 5801 section 4).
  return { token, user: user === '' ? undefined : mechanism === 'XOAUTH2' ? user : user.replaceAll(/=2C/gi, ',').replaceAll(/=3D/gi, '=') };
}

/** The challenge that tells of a bad token (RFC 7628 section 3.2.2); the client answers it with ^A or nothing, then AUTH fails. */
export function bearerRefusal(mechanism: BearerMechanism, scope: string | undefined): Buffer {
  const status = mechanism === 'OAUTHBEARER' ? { status: 'invalid_token' } : { status: '401', schemes: 'bearer' };
  return Buffer.from(JSON.stringify({ ...status, ...(scope === undefined ? {} : { scope }) }));
}

function textOf(message: Buffer): string {
  if (message.length > longestMessage) throw malformed();
  try {
    return utf8.decode(message);
  } catch (cause) {
    throw new Failure('bad-input', 'malformed bearer message', { cause });
  }
}

function malformed(): Failure {
  return new Failure('bad-input', 'malformed bearer message');
}
