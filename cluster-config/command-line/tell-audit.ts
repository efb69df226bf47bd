/** Tells the audit of the cluster what a command did by itself, at the directory or in the configuration. */
import { isFailure } from '../../shared/base/failure.ts';
import { donePath } from '../admin/done-route.ts';
import type { DoneAct } from '../admin/done-route.ts';
import type { ClusterConfig } from '../load.ts';
import { askThese } from './ask-nodes.ts';

/** The first node that takes it writes it down; back-ends are asked first. When none does, the terminal is told. */
export async function tellAudit(config: ClusterConfig, { what, facts }: DoneAct): Promise<void> {
  for (const node of Object.values(config.nodes).toSorted((one, other) => (one.role < other.role ? -1 : 1))) {
    const [said] = await askThese(config, [node], { path: donePath(what), body: facts }).catch((error: unknown) => {
      if (!isFailure(error)) throw error;
      return []; // a node of another version may want to be told in other words
    });
    if (said !== undefined && 'answer' in said) return;
  }
  process.stderr.write('waybill: it is done, but stands in no audit: no node takes it\n');
}
