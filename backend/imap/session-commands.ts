/** Commands on the session itself: CAPABILITY, NOOP, LOGOUT, ENABLE (RFC 9051 section 6), ID (RFC 2971), UNAUTHENTICATE (RFC 8437). */
import { formatIdFields, guestField, legField, notifiedField, saysNotifiedField } from '../../shared/imap/id-fields.ts';
import { parseLegTerms } from '../../shared/legs/leg-terms.ts';
import { Failure } from '../../shared/base/failure.ts';
import { sessionIdPattern } from '../../shared/base/session-id.ts';
import { parseIdFields } from '../../shared/imap/id-fields.ts';
import { capabilities, mayUnauthenticate } from './capabilities.ts';
import { nothing, sessionCommand } from './command.ts';
import { bad, ok } from './replies.ts';
import type { Session } from './session.ts';
import type { Extension } from './session-state.ts';

export const capability = sessionCommand(['not-authenticated', 'authenticated', 'selected'], {
  verb: 'CAPABILITY',
  parse: nothing,
  run: async (session) => {
    session.output.line(`* CAPABILITY ${capabilities(session)}`);
    return ok('CAPABILITY completed');
  },
});

export const noop = sessionCommand(['not-authenticated', 'authenticated', 'selected'], {
  verb: 'NOOP',
  parse: nothing,
  run: async () => ok('NOOP completed'),
});

export const logout = sessionCommand(['not-authenticated', 'authenticated', 'selected'], {
  verb: 'LOGOUT',
  parse: nothing,
  run: async (session) => {
    session.output.line('* BYE goodbye');
    session.enter({ at: 'logout', then: session.state.at === 'not-authenticated' ? 'close' : 'release' });
    return ok('LOGOUT completed');
  },
});

/** For a front-end's own sessions. A client that it has joined with us stays who it is: what logs in next would be taken for the front-end. */
export const unauthenticate = sessionCommand(['authenticated', 'selected'], {
  verb: 'UNAUTHENTICATE',
  parse: nothing,
  run: async (session) => {
    if (!mayUnauthenticate(session)) return bad('unknown command UNAUTHENTICATE');
    session.enter({ at: 'logout', then: 'begin-anew' });
    return ok('UNAUTHENTICATE completed');
  },
});

const enableable: readonly Extension[] = ['CONDSTORE', 'QRESYNC', 'IMAP4REV2', 'METADATA', 'UTF8=ACCEPT', 'UIDONLY'];

export const enable = sessionCommand(['authenticated', 'selected'], {
  verb: 'ENABLE',
  parse: (scanner) => {
    const names = [scanner.word()];
    while (scanner.accept(' ')) names.push(scanner.word());
    return names;
  },
  run: async (session, names) => {
    const enabled: string[] = [];
    for (const name of names) {
      const known = enableable.find((extension) => extension === name);
      if (known === undefined) continue;
      session.enable(known);
      // What somebody else's account has of annotations is no guest's business; a mailbox that he may see he asks for.
      if (known === 'METADATA' && session.guest === undefined) session.accountNews.watchAnnotations(session.account);
      enabled.push(known === 'IMAP4REV2' ? 'IMAP4rev2' : known);
    }
    session.output.line(`* ENABLED${enabled.map((name) => ` ${name}`).join('')}`);
    return ok('ENABLE completed');
  },
});

export const id = sessionCommand(['not-authenticated', 'authenticated', 'selected'], {
  verb: 'ID',
  tells: 'no-expunges', // by it a node asks whether another is there, also while its client may be told of none
  parse: parseIdFields,
  run: async (session, fields) => {
    const isFromNode = session.options.trustedPeer === 'yes' || session.options.neighbour !== undefined;
    if (isFromNode && session.state.at === 'not-authenticated') takeClient(session, fields);
    else if (fields.size > 0) session.log.debug({ clientId: Object.fromEntries(fields) }, 'client names itself');
    session.output.line(`* ID (${formatIdFields([['name', 'Waybill'], ...(session.options.neighbour === undefined ? [] : [[saysNotifiedField, '1'] as const])])})`);
    return ok('ID completed');
  },
});

/** Another node tells who its client is, before it logs the client in. */
function takeClient(session: Session, fields: ReadonlyMap<string, string>): void {
  const address = fields.get('x-originating-ip') ?? session.client.address;
  const port = Number(fields.get('x-originating-port') ?? session.client.port);
  const sessionId = fields.get('x-session-id') ?? session.id;
  if (!/^[0-9a-fA-F.:]{2,45}$/.test(address) || !Number.isInteger(port) || !sessionIdPattern.test(sessionId)) {
    throw new Failure('bad-input', 'malformed x-originating or x-session field');
  }
  if (fields.has('x-originating-ip') || fields.has('x-session-id')) session.speaksForClient = 'yes';
  if (session.options.neighbour !== undefined) session.guestOf = fields.get(guestField)?.toLowerCase();
  session.hearsNotified = fields.get(notifiedField) === '1' ? 'yes' : 'no';
  session.legTerms = parseLegTerms(fields.get(legField));
  session.client = { address, port };
  session.id = sessionId;
  session.sessionLog.learn({ session: sessionId, client: address });
  const own = [...fields].filter(([name]) => !name.startsWith('x-'));
  if (own.length > 0) session.log.debug({ clientId: Object.fromEntries(own) }, 'client names itself');
}
