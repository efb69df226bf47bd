/** CAPA (RFC 2449 section 5) and LANG (RFC 6856 section 3): what a client may ask of us, and in which language we answer. */
import { languageListing, languageOfRange, languageRefused } from '../../shared/pop3/language.ts';
import { Refusal } from '../../shared/pop3/texts.ts';
import type { Answer, Session } from './session.ts';

/** What only serves front-ends is shown to them alone, and not to the clients they join with us after login. */
export function capa(session: Session): Answer {
  const { options: { trustedPeer, policy }, connection, state } = session;
  const forFrontEnd = trustedPeer === 'yes' && state.at === 'authorization';
  const login = connection.encrypted ? ['USER', `SASL PLAIN LOGIN${forFrontEnd ? ' EXTERNAL' : ''}`] : ['STLS'];
  session.sayLines(session.texts.capabilities, [
    'TOP', 'UIDL', 'RESP-CODES', 'AUTH-RESP-CODE', 'PIPELINING', 'UTF8 USER', 'LANG',
    `EXPIRE ${policy.expireDays === undefined ? 'NEVER' : String(policy.expireDays)}`,
    ...loginDelay(session),
    'IMPLEMENTATION Waybill', ...login,
    ...(forFrontEnd ? ['XCLIENT'] : []),
  ]);
  return undefined;
}

/** Before login the longest that anybody has, and whether there is more to know after it (RFC 2449 section 6.5). */
function loginDelay({ options: { maildrops }, state }: Session): readonly string[] {
  if (maildrops === undefined || maildrops.loginDelays.longest === 0) return [];
  const { of, longest, differ } = maildrops.loginDelays;
  const isOwn = state.at === 'transaction';
  const seconds = Math.ceil((isOwn ? of(state.maildrop.account.address) : longest) / 1000);
  return [`LOGIN-DELAY ${String(seconds)}${isOwn || differ === 'no' ? '' : ' USER'}`];
}

export function lang(session: Session, argument: string): Answer {
  const range = argument.trim();
  if (range === '') {
    session.sayLines(session.texts.languages, languageListing);
    return undefined;
  }
  const language = languageOfRange(range, session.options.preferredLanguage ?? 'en');
  if (language === undefined) throw new Refusal('bad-input', languageRefused(range, session.texts));
  session.language = language;
  return `${language} ${session.texts.languageChanged}`;
}
