/** The user's password, and the sessions that hang on it. */
import { z } from 'zod';
import { Failure } from '../../shared/base/failure.ts';
import { readJson } from '../../shared/http/body.ts';
import { sendJson } from '../../shared/http/refusals.ts';
import type { PasswordAnswer } from './api.ts';
import type { Call } from './call.ts';

const maxChangeBytes = 8 * 1024;
const password = z.string().min(1).max(1024);
const changeRequest = z.strictObject({ old: password, new: password });

/** Changes it and ends all other WebMail sessions; the one that asks goes on. */
export async function changePassword(call: Call): Promise<void> {
  const { account, exchange, options, session } = call;
  const given = changeRequest.safeParse(await call.waitForClient(async () => readJson(exchange.request, maxChangeBytes)));
  if (!given.success) throw new Failure('bad-input', 'Give the present password and a new one of at most 1024 characters.');
  const { old, new: next } = given.data;
  await session.guarded(async () => options.accounts.changePassword(account.address, { old, next }));
  exchange.log.info({ account: account.address, session: call.origin.session, client: call.origin.client }, 'password changed in WebMail');
  const answer: PasswordAnswer = { otherSessions: await endOthers(call) };
  sendJson(exchange.response, 200, answer);
}

/** The password is changed by now, whatever becomes of the sessions. */
async function endOthers({ account, session, exchange }: Call): Promise<PasswordAnswer['otherSessions']> {
  try {
    session.goOn(await account.endSessions());
    return 'ended';
  } catch (error) {
    exchange.log.error({ err: error, account: account.address }, 'password changed, but the other sessions go on');
    return 'go-on';
  }
}

/** Ends all WebMail sessions of the account, this one too. */
export async function signOutEverywhere({ account, exchange, origin, session }: Call): Promise<void> {
  session.end(await account.endSessions());
  exchange.log.info({ account: account.address, session: origin.session, client: origin.client }, 'signed out everywhere');
  sendJson(exchange.response, 200, {});
}
