/** `waybill passwd`: an administrator sets a user's password, wherever it is kept, and ends the user's WebMail sessions. */
import { callNode } from '../../shared/admin/admin-call.ts';
import { isFailure } from '../../shared/base/failure.ts';
import { recordsOf } from './account-command.ts';
import { withCluster } from './cluster-view.ts';
import type { ClusterOptions, ClusterView } from './cluster-view.ts';
import { readNewPassword } from './new-password.ts';
import { tellAudit } from './tell-audit.ts';
import { UsageError } from './usage-error.ts';

export interface PasswdOptions extends ClusterOptions {
  readonly stdin?: boolean;
}

const patienceMs = 20_000;

export interface PasswdOutcome {
  readonly text: string;
  /** Why the user's WebMail sessions go on; undefined when they are ended, or there is no mailbox yet. */
  readonly complaint: string | undefined;
}

/** @throws Failure when the password is not changed, UsageError */
export async function passwd(given: string, options: PasswdOptions): Promise<PasswdOutcome> {
  return withCluster(options, async (view) => {
    const address = view.complete(given);
    const { maps } = view.directory;
    const entry = await maps.lookUp(address);
    if (entry === undefined && maps.covers(address)) throw new UsageError(`there is no user ${address}`);
    const records = await recordsOf(view, entry?.address ?? address);
    const owner = Object.entries(records).find(([, record]) => record !== 'silent' && record.at === 'live')?.[0];
    const isLocal = entry === undefined || entry.local !== undefined;
    if (isLocal && owner === undefined) throw new UsageError(`no back-end that answers has an account ${address}`);
    const password = await readNewPassword(options.stdin === true ? 'standard input' : 'terminal', entry?.address ?? address);
    if (isLocal) await callNode(view.target(owner ?? ''), { path: `/local-accounts/password/${encodeURIComponent(address)}`, body: { password }, silenceMs: patienceMs });
    else await maps.changePassword(entry, { kind: 'reset' }, password);
    if (!isLocal) await tellAudit(view.cluster, { what: 'setPassword', facts: { address: entry.address } });
    const taker = isLocal ? `back-end ${owner ?? ''}, which keeps the password of this local account` : view.directory.takerOf(entry);
    const silent = Object.entries(records).filter(([, record]) => record === 'silent').map(([node]) => node);
    return {
      text: `the password of ${entry?.address ?? address} is changed; ${taker} took it`,
      complaint: owner === undefined && silent.length > 0 ? `WebMail sessions may go on: no answer from ${silent.join(', ')}` : await endSessions(view, entry?.address ?? address, owner),
    };
  });
}

async function endSessions(view: ClusterView, address: string, owner: string | undefined): Promise<string | undefined> {
  if (owner === undefined) return undefined;
  try {
    await callNode(view.target(owner), { path: `/webmail-sessions/end/${encodeURIComponent(address)}`, body: {}, silenceMs: patienceMs });
    return undefined;
  } catch (error) {
    if (!isFailure(error)) throw error;
    return `WebMail sessions go on: ${owner} could not end them (${error.message})`;
  }
}
