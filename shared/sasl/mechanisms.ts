/**
 * The server's steps of the SASL mechanisms that all our protocols offer (PLAIN, LOGIN, EXTERNAL), and the client's
 * single answer for PLAIN. Pure: bytes in, a step out; checking the password or the certificate is the caller's part.
 */
import { Failure } from '../base/failure.ts';

export type SaslMechanism = 'PLAIN' | 'LOGIN' | 'EXTERNAL';

/** What the server does next: send a challenge, or check what the client claims. */
export type SaslStep =
  | { readonly kind: 'challenge'; readonly data: Buffer }
  | {
      readonly kind: 'password';
      /** On whose behalf the client wants to act; undefined when it is the user itself. */
      readonly authorisationId: string | undefined;
      readonly user: string;
      readonly password: string;
    }
  | { readonly kind: 'external'; readonly authorisationId: string | undefined };

/** One SASL exchange on the server's side. */
export interface SaslExchange {
  /**
   * Takes the client's next response (undefined: it sent no initial response).
   * @throws Failure `bad-input` when it can't be understood or the exchange is already complete.
   */
  step(response: Buffer | undefined): SaslStep;
}

/** Octets allowed in each of authorisation id, user and password (RFC 4616 section 2 asks for at least 255). */
export const maxSaslValueBytes = 1024;

/** The longest base64 line a client needs for any response within the limits, octets without CRLF. */
export const maxSaslLineBytes = Math.ceil((3 * maxSaslValueBytes + 2) / 3) * 4;

/** Begins an exchange. */
export function startSasl(mechanism: SaslMechanism): SaslExchange {
  switch (mechanism) {
    case 'PLAIN':
      return startPlain();
    case 'LOGIN':
      return startLogin();
    case 'EXTERNAL':
      return startExternal();
  }
}

/** The SASL mechanism of that name (case-insensitive), or undefined when we don't speak it. */
export function findMechanism(name: string): SaslMechanism | undefined {
  const upper = name.toUpperCase();
  return upper === 'PLAIN' || upper === 'LOGIN' || upper === 'EXTERNAL' ? upper : undefined;
}

/**
 * Decodes base64 strictly (RFC 4648 section 4): padding present, no other characters, no stray bits. SASL profiles ask
 * that anything else is refused. Undefined when `text` is not base64; the empty text is zero octets.
 */
export function decodeBase64(text: string): Buffer | undefined {
  const decoded = Buffer.from(text, 'base64');
  return decoded.toString('base64') === text ? decoded : undefined;
}

/** The client's message of PLAIN (RFC 4616 section 2), not yet in base64. @throws Failure `bad-input` for NUL. */
export function plainResponse(credentials: {
  readonly authorisationId?: string | undefined;
  readonly user: string;
  readonly password: string;
}): Buffer {
  const fields = [credentials.authorisationId ?? '', credentials.user, credentials.password];
  if (fields.some((field) => field.includes('\0'))) throw refused('credentials must not hold NUL');
  return Buffer.from(fields.join('\0'), 'utf8');
}

/** RFC 4616: message = [authzid] NUL authcid NUL passwd. */
function startPlain(): SaslExchange {
  return {
    step(response) {
      if (response === undefined) return challenge('');
      const fields = splitAtNul(response);
      const [authorisationId, user, password] = fields.map(decodeValue);
      if (fields.length !== 3 || authorisationId === undefined || user === undefined || password === undefined) {
        throw refused('malformed PLAIN response');
      }
      if (user === '' || password === '') throw refused('user and password must not be empty');
      return { kind: 'password', authorisationId: authorisationId === '' ? undefined : authorisationId, user, password };
    },
  };
}

/** draft-murchison-sasl-login: two questions whose words clients compare literally. An initial response is the user. */
function startLogin(): SaslExchange {
  let user: string | undefined;
  return {
    step(response) {
      if (response === undefined) {
        if (user !== undefined) throw refused('malformed LOGIN response');
        return challenge('Username:');
      }
      const value = decodeValue(response);
      if (value.includes('\0') || value === '') throw refused('malformed LOGIN response');
      if (user === undefined) {
        user = value;
        return challenge('Password:');
      }
      return { kind: 'password', authorisationId: undefined, user, password: value };
    },
  };
}

/** RFC 4422 appendix A: the response is the authorisation id, empty when the client wants its own identity. */
function startExternal(): SaslExchange {
  return {
    step(response) {
      if (response === undefined) return challenge('');
      const authorisationId = decodeValue(response);
      if (authorisationId.includes('\0')) throw refused('malformed EXTERNAL response');
      return { kind: 'external', authorisationId: authorisationId === '' ? undefined : authorisationId };
    },
  };
}

function challenge(text: string): SaslStep {
  return { kind: 'challenge', data: Buffer.from(text, 'latin1') };
}

function splitAtNul(bytes: Buffer): Buffer[] {
  const fields: Buffer[] = [];
  let start = 0;
  // One field too many is enough to know that the message is malformed.
  while (fields.length < 4) {
    const nul = bytes.indexOf(0, start);
    fields.push(bytes.subarray(start, nul === -1 ? bytes.length : nul));
    if (nul === -1) break;
    start = nul + 1;
  }
  return fields;
}

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

function decodeValue(bytes: Buffer): string {
  if (bytes.length > maxSaslValueBytes) throw refused('a SASL value is too long');
  try {
    return utf8.decode(bytes);
  } catch (cause) {
    throw new Failure('bad-input', 'a SASL value is not UTF-8', { cause });
  }
}

function refused(text: string): Failure {
  return new Failure('bad-input', text);
}
