/**
 * Sees to it that an act on somebody's account is kept with the account, wherever that is. The audit of the node has it by then, so
 * nobody waits for this: an account that is being moved or whose node is away is tried again for a while, and then it stays
 * with the node's audit alone.
 */
import { setTimeout as sleepMs } from 'node:timers/promises';
import { accountActOf, accountActSchema } from '../../shared/admin-api/account-act.ts';
import type { AccountAct } from '../../shared/admin-api/account-act.ts';
import type { AuditLog } from '../../shared/admin-api/audit-log.ts';
import { callNode } from '../../shared/admin/admin-call.ts';
import type { AdminTarget } from '../../shared/admin/admin-client.ts';
import type { AdminRoute } from '../../shared/admin/admin-server.ts';
import { Failure, isFailure } from '../../shared/base/failure.ts';
import type { Logger } from '../../shared/log/log.ts';

/** Writes an act to an account of this node. @throws Failure `unknown-user`, `not-kept-here`, `in-use` */
export type KeepHere = (address: string, act: AccountAct) => Promise<void>;

export interface ActKeeperOptions {
  readonly node: string;
  /** Undefined at front-ends. */
  readonly keepHere: KeepHere | undefined;
  readonly keeperOf: (address: string) => Promise<string>;
  readonly target: (node: string) => AdminTarget | undefined;
  readonly log: Logger;
}

const prefix = '/account-acts/keep/';
const silenceMs = 5000;
const againMs = 500;
/** 30 s: longer than an account is held while the last of it is moved. */
const mostTries = 60;

export class ActKeeper {
  readonly #options: ActKeeperOptions;

  constructor(options: ActKeeperOptions) {
    this.#options = options;
  }

  /** The same audit; what it has of accounts goes to them as well. */
  watching(audit: AuditLog): AuditLog {
    return {
      check: async () => audit.check(),
      write: async (entry) => {
        await audit.write(entry);
        const kept = accountActOf(entry);
        if (kept !== undefined) void this.keep(kept.account, kept.act);
      },
    };
  }

  /** Never rejects. */
  async keep(address: string, act: AccountAct): Promise<void> {
    const { keepHere, node: self, log } = this.#options;
    let node = keepHere === undefined ? undefined : self;
    try {
      for (let tries = 1; ; tries += 1) {
        try {
          return await this.#keepAt(node ?? await this.#options.keeperOf(address), address, act);
        } catch (error) {
          if (tries >= mostTries || !isWorthATry(error, tries)) throw error;
          node = error.kind === 'not-kept-here' ? error.node : undefined;
          if (tries > 1 || error.kind !== 'unknown-user') await sleepMs(againMs);
        }
      }
    } catch (error) {
      log.warn({ err: error, account: address, audit: act.reference }, 'an act of an administrator is in the audit of this node, but not with the account');
    }
  }

  async #keepAt(node: string, address: string, act: AccountAct): Promise<void> {
    const { node: self, keepHere, target } = this.#options;
    if (node === self && keepHere !== undefined) return keepHere(address, act);
    const other = target(node);
    if (other === undefined) throw new Failure('unknown-user', `${node} can't be asked`);
    await callNode(other, { path: `${prefix}${encodeURIComponent(address)}`, body: act, silenceMs });
  }
}

/** No such account here may be one that the directory puts elsewhere; asked there, the answer counts. */
function isWorthATry(error: unknown, tries: number): error is Failure {
  if (!isFailure(error)) return false;
  return ['not-kept-here', 'in-use', 'backend-unavailable', 'directory-unavailable'].includes(error.kind) || (error.kind === 'unknown-user' && tries === 1);
}

/** Where other nodes leave what they have in their audits of accounts that live here. */
export function accountActRoute(keepHere: KeepHere): AdminRoute {
  return {
    method: 'POST', prefix, allow: 'nodes', kind: 'step',
    answer: async (address, { body }) => {
      const act = accountActSchema.safeParse(body);
      if (!act.success) throw new Failure('bad-input', 'that is no act of an administrator');
      await keepHere(address.toLowerCase(), act.data);
      return { status: 200, body: {} };
    },
  };
}
