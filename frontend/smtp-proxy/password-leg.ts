/** Asks the back-end of a user whether a password is right, on its trusted submission listener (AUTH PLAIN, RFC 4954). */
import { Failure, isFailure } from '../../shared/base/failure.ts';
import { SmtpRefused } from '../../shared/smtp/refusal.ts';
import type { SmtpPeer } from '../../shared/smtp/server-session.ts';
import type { Mapping, Route } from '../mapping/mapping.ts';
import type { LegTarget, Legs } from './leg.ts';
import { referralOf } from './referral.ts';

export interface PasswordRoad {
  readonly mapping: Pick<Mapping, 'forget' | 'lookUp'>;
  readonly legs: Legs;
  /** The trusted submission listener that a route leads to; undefined when it leads to no node of ours. */
  readonly submissionOf: (route: Route) => LegTarget | undefined;
}

export interface PasswordQuestion {
  readonly address: string;
  readonly route: Route;
  readonly password: string;
}

/** @throws Failure('bad-credentials') when it is wrong, `password-expired` or `account-disabled` when it is right and lets nobody in, Failure('backend-unavailable') when that can't be found out now */
export async function checkAtBackend(road: PasswordRoad, peer: SmtpPeer, question: PasswordQuestion): Promise<void> {
  try {
    await ask(road, peer, question);
  } catch (thrown) {
    const referral = referralOf(thrown);
    if (referral === undefined) throw thrown;
    road.mapping.forget(question.address);
    const named: Route | undefined = referral.node === undefined ? undefined : { kind: 'node', node: referral.node };
    await ask(road, peer, { ...question, route: named ?? (await freshRoute(road, question.address)) }).catch((error: unknown) => {
      throw referralOf(error) === undefined ? error : new Failure('backend-unavailable', 'the mailbox is being moved', { cause: error });
    });
  }
}

async function freshRoute({ mapping }: PasswordRoad, address: string): Promise<Route> {
  const answer = await mapping.lookUp(address, { fresh: 'yes' });
  if (answer.kind !== 'found') throw new Failure('backend-unavailable', 'the account has no place at the moment');
  return answer.route;
}

async function ask({ legs, submissionOf }: PasswordRoad, peer: SmtpPeer, { address, route, password }: PasswordQuestion): Promise<void> {
  const target = submissionOf(route);
  if (target === undefined) throw new Failure('backend-unavailable', 'the mailbox is on a server that is not set up here');
  try {
    const leg = await legs.openForPassword(target, peer);
    try {
      await leg.authenticatePlain(address, password);
    } finally {
      void leg.quit();
    }
  } catch (thrown) {
    if (thrown instanceof SmtpRefused && (thrown.reply.code === 535 || thrown.reply.code === 525)) throw verdictOf(thrown);
    if (referralOf(thrown) !== undefined || isFailure(thrown, 'backend-unavailable')) throw thrown;
    throw new Failure('backend-unavailable', 'the password can not be checked now', { cause: thrown });
  }
}

function verdictOf(refused: SmtpRefused): Failure {
  const text = refused.reply.lines.join(' ');
  if (refused.reply.code === 525) return new Failure(refused.reply.enhanced === '5.7.13' ? 'account-disabled' : 'service-denied', text, { cause: refused });
  const [, expired] = /^\[EXPIRED\] (.*)$/s.exec(text) ?? [];
  return expired === undefined ? new Failure('bad-credentials', 'wrong user name or password', { cause: refused }) : new Failure('password-expired', expired, { cause: refused });
}
