/** That a node could not start, since a worker of it could not: whoever starts it is told the reason in its own words, as the stack would be the supervisor's. */
export class WorkerFailed extends Error {
  override readonly name = 'WorkerFailed';
}
