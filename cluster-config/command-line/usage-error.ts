/** A command line that can't be followed; shown without a stack. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}
