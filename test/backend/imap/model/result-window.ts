/** PARTIAL (RFC 9394). */

/** In the order of the results, also where the window is counted from the end (RFC 9394 section 3.1). */
export function windowed<T>(found: readonly T[], window: string): T[] {
  const [one = 0, other = 0] = window.split(':').map(Number);
  return found.filter((_, index) => {
    const place = one < 0 ? index - found.length : index + 1;
    return place >= Math.min(one, other) && place <= Math.max(one, other);
  });
}
