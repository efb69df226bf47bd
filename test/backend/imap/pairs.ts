/** Pairs of users on two nodes, for the tests of folders that they share: an owner on be2, and a guest on be1 who was granted rights on the owner's INBOX. */
import type { Account } from '../../../backend/storage/storage.ts';
import type { Dialogue } from '../../harness/dialogue.ts';
import { messageAbout } from './conversation.ts';
import { deliver } from './harness.ts';
import { demandOk } from './two-nodes.ts';
import type { AnyNode, NodeName, TestNode, TwoNodes } from './two-nodes.ts';

export interface Pair {
  /** On be2, who shares. */
  readonly owner: Dialogue;
  /** On be1, who looks. */
  readonly guest: Dialogue;
  readonly ownerAddress: string;
  readonly guestAddress: string;
  /** The owner's INBOX as the guest calls it. */
  readonly inbox: string;
}

/** Logs both in. @param name makes their addresses */
export async function pair(cluster: TwoNodes, name: string, rights: string): Promise<Pair> {
  const [ownerAddress, guestAddress] = [`${name}-owner@example.com`, `${name}-guest@example.com`];
  const owner = await cluster.logIn('be2', ownerAddress);
  const guest = await cluster.logIn('be1', guestAddress);
  await demandOk(owner, `SETACL INBOX ${guestAddress} ${rights}`);
  return { owner, guest, ownerAddress, guestAddress, inbox: `"Other Users/${ownerAddress}/INBOX"` };
}

/** A flagged message with a keyword, and a date. */
export async function deliverTo(cluster: TwoNodes, [node, address]: readonly [NodeName, string], subject: string): Promise<void> {
  await deliver({ storage: cluster.nodes[node].storage, address, mailbox: 'INBOX' }, messageAbout(subject), { flags: 4, keywords: ['$Work'], internalDateMs: Date.UTC(2026, 1, 3, 4, 5, 6) });
}

export function close({ owner, guest }: Pair): void {
  owner.close();
  guest.close();
}

/** Must be there. */
export function accountOn({ nodes }: { readonly nodes: Readonly<Partial<Record<AnyNode, TestNode>>> }, node: AnyNode, address: string): Account {
  const record = nodes[node]?.storage.find(address);
  if (record?.at !== 'live') throw new Error(`${address} does not live on ${node}`);
  return record.account;
}
