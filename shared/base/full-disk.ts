/** How the system says that a disk is full. */

/** Whether that is why it failed: no space, or none within the quota of who asks. Also where another error was made of it. */
export function isDiskFull(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  return ('code' in error && (error.code === 'ENOSPC' || error.code === 'EDQUOT')) || isDiskFull(error.cause);
}
