/** Who asks: a front-end that vouches for a user by its node certificate, or a user's own browser with our cookie. */
import type { IncomingMessage } from 'node:http';
import { TLSSocket } from 'node:tls';
import { Failure } from '../../shared/base/failure.ts';
import { HttpRefusal } from '../../shared/http/refusals.ts';
import { refuseCrossSite } from '../../shared/http/same-site.ts';
import type { Asked } from '../../shared/http/http-service.ts';
import { findSessionCookie, verifySession } from '../../shared/session-cookie/session-cookie.ts';
import type { SessionAges, SessionClaims } from '../../shared/session-cookie/session-cookie.ts';
import { clientHeader, epochHeader, sessionHeader, userHeader, waybillHeaderPrefix } from '../../shared/session-cookie/session-headers.ts';
import { nodeIdentity } from '../../shared/tls/identity.ts';
import type { NodeIdentity } from '../../shared/tls/identity.ts';
import type { WebmailListener } from './webmail.ts';

export type Visitor =
  /** `epoch` is unknown at the sign-in itself. */
  | { readonly by: 'frontend'; readonly address: string; readonly epoch: number | undefined; readonly session: string; readonly client: string }
  | { readonly by: 'cookie'; readonly address: string; readonly epoch: number; readonly session: string; readonly client: string; readonly claims: SessionClaims }
  | { readonly by: 'nobody'; readonly client: string };

export interface VisitorCheck {
  readonly isTrustedNode: (identity: NodeIdentity) => boolean;
  readonly cookieSecret: Buffer;
  readonly ages: SessionAges;
}

/**
 * Reads who asks. @throws Failure('forbidden') when somebody else than a front-end of the configuration sends a front-end's
 * headers, HttpRefusal('cross-site') for what another site made a browser send
 */
export function readVisitor(asked: Asked<WebmailListener>, check: VisitorCheck): Visitor {
  const { request } = asked;
  const client = request.socket.remoteAddress ?? '';
  if (Object.keys(request.headers).some((name) => name.startsWith(waybillHeaderPrefix))) return vouchedFor(asked, check);
  refuseCrossSite(request);
  const cookie = findSessionCookie(request.headers.cookie);
  const claims = cookie === undefined ? undefined : verifySession(cookie, { secret: check.cookieSecret, ages: check.ages, nowMs: Date.now() });
  if (claims === undefined) return { by: 'nobody', client };
  return { by: 'cookie', address: claims.address, epoch: claims.epoch, session: claims.session, client, claims };
}

function vouchedFor({ request, listener, log }: Asked<WebmailListener>, check: VisitorCheck): Visitor {
  const identity = listener.trusted === 'yes' && request.socket instanceof TLSSocket ? nodeIdentity(request.socket) : undefined;
  if (identity?.role !== 'frontend' || !check.isTrustedNode(identity)) {
    log.warn({ identity }, 'headers of a front-end came from somebody else');
    throw new Failure('forbidden', 'Only front-ends of this cluster may speak for users.');
  }
  const address = headerText(request, userHeader);
  if (address === '') throw new Failure('bad-input', 'The front-end did not say for whom it asks.');
  const epoch = headerText(request, epochHeader);
  return {
    by: 'frontend',
    address,
    epoch: /^\d+$/.test(epoch) ? Number(epoch) : undefined,
    session: headerText(request, sessionHeader),
    client: headerText(request, clientHeader),
  };
}

function headerText(request: IncomingMessage, name: string): string {
  const value = request.headers[name];
  return typeof value === 'string' ? value : '';
}

/** The visitor, who must be signed in. */
export function signedIn(visitor: Visitor): Exclude<Visitor, { by: 'nobody' }> {
  if (visitor.by === 'nobody') throw new HttpRefusal('signed-out', 'Please sign in.');
  return visitor;
}
