/** A part of an act that another node of the cluster has to do, by a route for nodes. */
import { callNode } from '../../shared/admin/admin-call.ts';
import type { AdminCall } from '../../shared/admin/admin-call.ts';
import type { AdminTarget } from '../../shared/admin/admin-client.ts';
import { Failure, isFailure } from '../../shared/base/failure.ts';

export interface StepParts {
  /** Undefined for a node that is not known, or has no admin API. */
  readonly target: (node: string) => AdminTarget | undefined;
}

/** Answers its JSON. @throws Failure `backend-unavailable` that names a node which does not answer, and what it refuses */
export async function stepAt({ target }: StepParts, node: string, call: AdminCall): Promise<unknown> {
  const at = target(node);
  if (at === undefined) throw new Failure('backend-unavailable', `${node} has no admin API`);
  return callNode(at, call).catch((error: unknown) => {
    throw isFailure(error, 'backend-unavailable') ? new Failure(error.kind, `${node} does not answer`, { cause: error.cause, node }) : error;
  });
}
