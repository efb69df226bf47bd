/** Brings threads together by subject and into order (RFC 5256 section 3: ORDEREDSUBJECT, and REFERENCES from step 4 on). */
import { Pacer } from '../../shared/base/pacer.ts';
import { sortPaced } from '../../shared/base/paced-sort.ts';
import { baseSubject } from '../../shared/mime/base-subject.ts';
import { casemapOrder } from '../../shared/mime/casemap.ts';
import type { Thread, ThreadMessage, ThreadSubject } from './thread-references.ts';

/** Earlier ones first, and what was sent at the same time as it stands in the mailbox. */
function bySentDate(one: ThreadMessage, other: ThreadMessage): number {
  return one.sentMs - other.sentMs || one.sequence - other.sequence;
}

/** The message by whose date a thread is sorted; its children must be in order. */
function firstOf(thread: Thread): ThreadMessage {
  const first = thread.message ?? thread.children[0]?.message;
  if (first === undefined) throw new Error('an empty thread');
  return first;
}

function threadsBySentDate(one: Thread, other: Thread): number {
  return bySentDate(firstOf(one), firstOf(other));
}

/** ORDEREDSUBJECT: one thread for each base subject; all later messages answer the first. */
export async function threadBySubject(messages: readonly ThreadMessage[]): Promise<Thread[]> {
  const threads = new Map<string, ThreadMessage[]>();
  const pacer = new Pacer();
  for (const message of messages) {
    const { base } = message.subject;
    const sharing = threads.get(base);
    if (sharing === undefined) threads.set(base, [message]);
    else sharing.push(message);
    if (pacer.isDue) await pacer.breathe();
  }
  const roots: Thread[] = [];
  for (const sharing of threads.values()) {
    const [message, ...later] = await sortPaced(sharing, bySentDate);
    roots.push({ message, children: later.map((each) => ({ message: each, children: [] })) });
  }
  return sortPaced(roots, threadsBySentDate);
}

/** REFERENCES, steps 4 to 6. */
export async function mergeAndSort(roots: readonly Thread[]): Promise<Thread[]> {
  await sortSiblings(roots);
  const merged = await mergeBySubject(await sortPaced(roots, threadsBySentDate));
  await sortSiblings(merged);
  return sortPaced(merged, threadsBySentDate);
}

/** REFS, as Dovecot has it: subjects mean nothing, and the thread with the newest message comes last. */
export async function sortByNewest(roots: readonly Thread[]): Promise<Thread[]> {
  await sortSiblings(roots);
  const aged: { readonly thread: Thread; newestMs: number }[] = [];
  const pacer = new Pacer();
  for (const thread of roots) {
    let newestMs = -Infinity;
    for (const { message } of membersOf([thread])) newestMs = Math.max(newestMs, message?.sentMs ?? -Infinity);
    aged.push({ thread, newestMs });
    if (pacer.isDue) await pacer.breathe();
  }
  const order = await sortPaced(aged, (one, other) => one.newestMs - other.newestMs || firstOf(one.thread).sequence - firstOf(other.thread).sequence);
  return order.map(({ thread }) => thread);
}

/** All threads and what is below them. Not by calling itself: some answer each other a hundred thousand times. */
function* membersOf(threads: readonly Thread[]): Generator<Thread, void, void> {
  const waiting = [...threads];
  for (let thread = waiting.pop(); thread !== undefined; thread = waiting.pop()) {
    yield thread;
    for (const child of thread.children) waiting.push(child);
  }
}

async function sortSiblings(roots: readonly Thread[]): Promise<void> {
  const pacer = new Pacer();
  for (const { children } of membersOf(roots)) {
    // Below the root all have a message, and so nothing depends on which are sorted first.
    const sorted = children.length > 1 ? await sortPaced(children, threadsBySentDate) : [];
    for (const [index, child] of sorted.entries()) children[index] = child;
    if (pacer.isDue) await pacer.breathe();
  }
}

/** @param raw as it stands in the header */
export function subjectOf(raw: string): ThreadSubject {
  const { text, of } = baseSubject(raw);
  return { base: casemapOrder(text), of };
}

/** A thread in the table of subjects. */
interface Entry {
  thread: Thread;
  of: ThreadSubject['of'];
}

/** Step 5: threads with the same base subject become one. Takes them in order. */
async function mergeBySubject(roots: readonly Thread[]): Promise<Thread[]> {
  const table = new Map<string, Entry>();
  const pacer = new Pacer();
  for (const thread of roots) {
    note(table, thread, firstOf(thread).subject);
    if (pacer.isDue) await pacer.breathe();
  }
  const remaining = new Set(roots);
  for (const thread of roots) {
    const { base, of } = firstOf(thread).subject;
    const entry = table.get(base);
    if (entry === undefined || entry.thread === thread) continue;
    remaining.delete(thread);
    merge(entry, thread, { remaining, of });
  }
  return [...remaining];
}

function note(table: Map<string, Entry>, thread: Thread, { base, of }: ThreadSubject): void {
  if (base === '') return;
  const known = table.get(base);
  if (known === undefined) table.set(base, { thread, of });
  else if (known.thread.message !== undefined && (thread.message === undefined || (known.of === 'reply-or-forward' && of === 'original'))) {
    table.set(base, { thread, of });
  }
}

/** Step 5 C: puts the thread where it belongs beside the one in the table. */
function merge(entry: Entry, thread: Thread, { remaining, of }: { readonly remaining: Set<Thread>; readonly of: ThreadSubject['of'] }): void {
  if (entry.thread.message === undefined) {
    if (thread.message === undefined) for (const child of thread.children) entry.thread.children.push(child);
    else entry.thread.children.push(thread);
  } else if (of === 'reply-or-forward' && entry.of === 'original') entry.thread.children.push(thread);
  else {
    const both: Thread = { message: undefined, children: [entry.thread, thread] };
    remaining.delete(entry.thread);
    remaining.add(both);
    entry.thread = both;
  }
}
