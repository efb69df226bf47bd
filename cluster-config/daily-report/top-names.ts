/** Which domains and accounts had most to do. */
import { Pacer } from '../../shared/base/pacer.ts';
import { countedOfAccounts } from '../../shared/reporting/account-counts.ts';
import type { CountedOfAccount } from '../../shared/reporting/account-counts.ts';
import type { SampleFile, SumQuestion } from '../../shared/reporting/sample-store.ts';

export type TopName = { readonly name: string } & Readonly<Record<CountedOfAccount, number>>;

const mostNames = 10;

/** All names of a scope with what was counted of them in a span; others are served in between, as there may be millions of samples. */
export async function namesOfScope(file: Pick<SampleFile, 'eachValue'>, question: Omit<SumQuestion, 'name'>): Promise<readonly TopName[]> {
  const names = new Map<string, { name: string } & Record<CountedOfAccount, number>>();
  const pacer = new Pacer();
  for (const { name, counter, value } of file.eachValue(question)) {
    const known = names.get(name) ?? { name, logins: 0, messages_received: 0, messages_sent: 0 };
    names.set(name, known);
    const counted = countedOfAccounts.find((one) => one === counter);
    if (counted !== undefined) known[counted] += value;
    if (pacer.isDue) await pacer.breathe();
  }
  return [...names.values()];
}

/** Those with most messages, then logins; of several nodes' names summed up. */
export function topOf(names: readonly TopName[]): TopName[] {
  const sums = new Map<string, TopName>();
  for (const one of names) {
    const known = sums.get(one.name);
    sums.set(one.name, known === undefined ? one : { name: one.name, logins: known.logins + one.logins, messages_received: known.messages_received + one.messages_received, messages_sent: known.messages_sent + one.messages_sent });
  }
  const messages = (one: TopName): number => one.messages_received + one.messages_sent;
  return [...sums.values()].toSorted((one, other) => messages(other) - messages(one) || other.logins - one.logins || (one.name < other.name ? -1 : 1)).slice(0, mostNames);
}
