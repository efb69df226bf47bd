/** What the storages record of an address, or of the account that it is an alias of, once that can be told. */
import { setTimeout as sleep } from 'node:timers/promises';
import { Failure } from '../../shared/base/failure.ts';
import type { AccountRecord, Storage } from '../storage/storage.ts';

/** How long who opens an account waits for the end of its move. */
const patienceMs = 5000;
const pollMs = 20;

/** While the last of a moving account is copied nobody can say who keeps it: whoever asks waits for that moment. Throws `in-use` when it takes too long. */
export async function settledRecord(storage: Storage, address: string): Promise<AccountRecord> {
  const deadline = performance.now() + patienceMs;
  for (;;) {
    const record = followed(storage, address);
    const unsettled = record.at === 'live' ? record.isHeld : record.at === 'arriving' && record.stage === 'ready';
    if (!unsettled) return record;
    if (performance.now() > deadline) throw new Failure('in-use', 'the mailbox is being moved, try again in a moment');
    await sleep(pollMs);
  }
}

/** An alias that no directory has leads to its account. */
function followed(storage: Storage, address: string): AccountRecord {
  const record = storage.find(address);
  const name = record.at === 'none' ? storage.lives.localName(address) : undefined;
  return name?.kind === 'alias' ? storage.find(name.account) : record;
}
