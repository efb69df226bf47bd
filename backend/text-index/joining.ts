/** Which segments of a mailbox are joined to one (pure): each search reads the vocabularies of all of them, and memory holds them. */
import { mostMessages } from './segment-format.ts';

/** So many of about one size are joined: a message is written again only a few times. */
const joinedAtOnce = 4;

/** Of four of about one size as many, from the first on, as may be one; undefined when there are no such. */
export function joinable<Part>(segments: readonly Part[], messagesOf: (segment: Part) => number): Part[] | undefined {
  const classes = new Map<number, Part[]>();
  for (const segment of segments) {
    const size = Math.floor(Math.log(messagesOf(segment)) / Math.log(joinedAtOnce));
    const same = [...(classes.get(size) ?? []), segment];
    const few = same.length === joinedAtOnce ? fitting(same, messagesOf) : [];
    if (few.length > 1) return few;
    classes.set(size, same.length === joinedAtOnce ? same.slice(1) : same);
  }
  return undefined;
}

function fitting<Part>(segments: readonly Part[], messagesOf: (segment: Part) => number): Part[] {
  let messages = 0;
  return segments.filter((segment) => (messages += messagesOf(segment)) <= mostMessages);
}
