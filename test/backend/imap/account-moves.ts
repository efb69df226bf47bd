/** Moves an account from one node of a test cluster to another, by the steps of docs/account-move.md, with what the test does between them. */
import { copyChanges } from '../../../backend/account-move/copy.ts';
import { localSource } from '../../../backend/account-move/local-source.ts';
import { accountOn } from './pairs.ts';
import type { AnyNode, TestNode } from './two-nodes.ts';

interface Move {
  readonly from: AnyNode;
  readonly to: AnyNode;
  /** Done when all was copied once; what changes now is copied again. */
  readonly copied?: () => Promise<void>;
  /** Done when the old node has let go, and the new one has not heard of it. */
  readonly sealed?: () => Promise<void>;
}

interface Cluster {
  readonly nodes: Readonly<Partial<Record<AnyNode, TestNode>>>;
}

export async function moveAccount({ nodes }: Cluster, address: string, { from, to, copied, sealed }: Move): Promise<void> {
  const [source, target] = [nodes[from]?.storage, nodes[to]?.storage];
  if (source === undefined || target === undefined) throw new Error('no such node');
  const { leaving } = source.transfers;
  const { arriving } = target.transfers;
  const { id, epoch } = accountOn({ nodes }, from, address);
  const token = `${to}/1`;
  const copy = async (): Promise<number> => copyChanges({ source: localSource(from, source), arriving, address, onRows: () => undefined });
  await arriving.begin(address, { from, id, epoch: epoch + 1, holder: '' });
  await copy();
  await copied?.();
  await leaving.hold(address, { token, forMs: 60_000 });
  await copy();
  await arriving.complete(address, leaving.snapshot(address));
  await leaving.seal(address, { token, node: to, epoch: epoch + 1 });
  await sealed?.();
  await arriving.activate(address);
}
