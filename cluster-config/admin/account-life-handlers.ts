/** What any node does for the accounts of the cluster: it lists those of all back-ends, and makes one where front-ends will look for it. */
import { demandAddress } from '../../shared/admin-api/caller.ts';
import { handled } from '../../shared/admin-api/operation.ts';
import type { Handled } from '../../shared/admin-api/operation.ts';
import { Failure } from '../../shared/base/failure.ts';
import type { DirectoryAccess } from '../directory-access.ts';
import type { NodeConfig } from '../effective.ts';
import { accountLifeOperations } from './contract/account-life.ts';
import { accountOperations } from './contract/accounts.ts';
import { backendsOf, homeOf } from './holders.ts';
import { askEach } from './nodes-asked.ts';
import { madeUpPassword } from './password-handlers.ts';

const pageSchema = accountOperations.listNodeAccounts.answer;
const madeSchema = accountOperations.addAccount.answer;

export function accountLifeHandlers(config: NodeConfig, directory: DirectoryAccess): readonly Handled[] {
  return [
    handled(accountLifeOperations.listAccounts, async (call) => {
      const { node, ...wanted } = call.query;
      if (node !== undefined && !backendsOf(config).includes(node)) throw new Failure('bad-input', `${node} is no back-end of this cluster; there are ${backendsOf(config).join(', ')}`);
      const query = new URLSearchParams(Object.entries(wanted).flatMap(([name, value]): [string, string][] => (value === undefined ? [] : [[name, String(value)]])));
      const { answers, silent } = await askEach(backendsOf(config).filter((one) => node === undefined || one === node), call, {
        path: (one) => `/nodes/${one}/accounts?${query.toString()}`, read: (answer) => pageSchema.parse(answer),
      });
      const all = answers.flatMap(({ node: at, answer }) => answer.accounts.map((account) => ({ ...account, node: at }))).toSorted((one, other) => (one.address < other.address ? -1 : 1));
      const accounts = all.slice(0, wanted.limit);
      const isMore = all.length > accounts.length || answers.some(({ answer }) => answer.next !== undefined);
      const last = accounts.at(-1);
      return { accounts, total: answers.reduce((sum, { answer }) => sum + answer.total, 0), silent, ...(isMore && last !== undefined ? { next: last.address } : {}) };
    }),
    handled(accountLifeOperations.makeAccount, async (call) => {
      const { body: { address, node: wanted, password = madeUpPassword() }, caller, reply } = call;
      reply.note({ address });
      demandAddress(caller, address);
      const node = await homeOf({ config, directory }, address, wanted);
      const made = madeSchema.parse(await call.ask(node, `/nodes/${node}/accounts`, { method: 'POST', body: { address, password } }));
      return { ...made, ...(call.body.password === undefined ? { password } : {}) };
    }),
  ];
}
