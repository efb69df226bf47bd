/**
 * Loaded before each file of tests: what it says is written before it goes on. Node writes into a pipe later where the reader is slow,
 * and a forced end (`--test-force-exit`) drops what was not written yet: on a busy machine the last tests of a process, which had passed, were missing.
 */

/** Of a pipe; Node has no public way to it. */
interface Handle {
  setBlocking: (blocking: boolean) => number;
}

const { _handle: handle } = process.stdout as { readonly _handle?: Handle };
handle?.setBlocking(true);
