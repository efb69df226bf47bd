/** What is counted by domain and account, where the configuration asks for it. Kept by each worker until it is collected, once an interval. */

export const countedOfAccounts = ['logins', 'messages_received', 'messages_sent'] as const;
export type CountedOfAccount = (typeof countedOfAccounts)[number];

export interface AccountCount {
  readonly scope: 'domain' | 'account';
  readonly name: string;
  readonly counter: CountedOfAccount;
  readonly value: number;
}

/** Between two collections; beyond that nothing new is counted, so that memory is bounded. */
const mostNames = 100_000;

let scopes: ReadonlySet<AccountCount['scope']> = new Set();
const counts = new Map<string, { scope: AccountCount['scope']; name: string; counter: CountedOfAccount; value: number }>();

/** Says what this process counts from now on; nothing before that. */
export function collect(wanted: ReadonlySet<AccountCount['scope']>): void {
  scopes = wanted;
}

/** Something happened to an account. */
export function countForAccount(address: string, counter: CountedOfAccount): void {
  for (const scope of scopes) {
    const name = scope === 'account' ? address : address.slice(address.lastIndexOf('@') + 1);
    const key = `${scope} ${name} ${counter}`;
    const known = counts.get(key);
    if (known !== undefined) known.value += 1;
    else if (counts.size < mostNames) counts.set(key, { scope, name, counter, value: 1 });
  }
}

/** What was counted since the last time. */
export function takeCounts(): readonly AccountCount[] {
  const taken = [...counts.values()];
  counts.clear();
  return taken;
}
