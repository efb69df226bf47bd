/** GETQUOTA and GETQUOTAROOT (RFC 9208). */
import { Failure } from '../../shared/base/failure.ts';
import { takeMailbox } from '../../shared/imap/mailbox-arguments.ts';
import type { Account } from '../storage/storage.ts';
import { accountCommand, namedCommand } from './command.ts';
import { formatMailbox } from './mailbox-lines.ts';
import { demand, mailboxAt } from './place.ts';
import { ok } from './replies.ts';
import type { Session } from './session.ts';

/** The one quota root, the account itself, whose name is empty (RFC 9208 section 3.2), or undefined where nothing is limited: a response lists at least one resource. STORAGE counts in 1024 octets. */
function quotaLine({ options: { accounts } }: Session, account: Account): string | undefined {
  accounts.keepUp(account.address);
  const quota = account.quota();
  const resources: string[] = [];
  if (quota.bytesLimit > 0) resources.push(`STORAGE ${String(Math.ceil(quota.bytes / 1024))} ${String(Math.floor(quota.bytesLimit / 1024))}`);
  if (quota.messagesLimit > 0) resources.push(`MESSAGE ${String(quota.messages)} ${String(quota.messagesLimit)}`);
  return resources.length === 0 ? undefined : `* QUOTA "" (${resources.join(' ')})`;
}

export const getQuota = accountCommand({
  verb: 'GETQUOTA',
  parse: (scanner) => scanner.astring(),
  run: async ({ session, account }, root) => {
    const line = root === '' ? quotaLine(session, account) : undefined;
    if (line === undefined) throw new Failure('mailbox-missing', 'no such quota root');
    session.output.line(line);
    return ok('GETQUOTA completed');
  },
});

export const getQuotaRoot = namedCommand({
  verb: 'GETQUOTAROOT',
  parse: (scanner, session) => ({ name: takeMailbox(scanner, session.names) }),
  run: async ({ session, place }, { name }) => {
    // An own one need not be there: whoever asks may be about to make it (RFC 9208 section 4.1.2).
    if (place.whose === 'others') {
      demand(place, 'r');
      mailboxAt(place);
    }
    // How full somebody else's account is, is nobody's business: a mailbox without a quota root.
    const line = place.whose === 'own' ? quotaLine(session, place.account) : undefined;
    session.output.line(`* QUOTAROOT ${formatMailbox(session, name)}${line === undefined ? '' : ' ""'}`);
    if (line !== undefined) session.output.line(line);
    return ok('GETQUOTAROOT completed');
  },
});
