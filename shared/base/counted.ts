/** Numbers of things in texts for people. */

/** `1 message`, `2 messages`. @param many where an s at the end is not all */
export function counted(count: number, one: string, many = `${one}s`): string {
  return `${String(count)} ${count === 1 ? one : many}`;
}
