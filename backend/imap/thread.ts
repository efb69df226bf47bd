/** THREAD and UID THREAD (RFC 5256; REFS: draft-ietf-morg-inthread). */
import { Pacer } from '../../shared/base/pacer.ts';
import { parseThread } from '../../shared/imap/search-arguments.ts';
import type { ThreadAlgorithm, ThreadArguments } from '../../shared/imap/search-arguments.ts';
import { ancestors, ownId } from '../../shared/mime/message-ids.ts';
import { mailboxCommand } from './command.ts';
import type { Command, Selected } from './command.ts';
import { headValues } from './head-values.ts';
import type { HeadColumn } from './head-values.ts';
import { ownText } from './kept-values.ts';
import { TwoLooks } from './progress.ts';
import type { Progress } from './progress.ts';
import { ok } from './replies.ts';
import type { Completion } from './replies.ts';
import { checkCharset, findMessages, searchTells, tellsModseq } from './search-run.ts';
import { sentMs } from './sort-order.ts';
import { mergeAndSort, sortByNewest, subjectOf, threadBySubject } from './thread-order.ts';
import { ReferenceForest } from './thread-references.ts';
import type { Thread, ThreadMessage } from './thread-references.ts';
import type { Numbered, Numbers, View } from './view.ts';

export const thread = define('THREAD', 'sequence');
export const uidThread = define('UID THREAD', 'uid');

function define(verb: string, numbers: Numbers): Command {
  return mailboxCommand({
    verb,
    tells: ({ key }) => searchTells(key, numbers),
    parse: parseThread,
    run: async (selected, given) => run(selected, given, numbers),
  });
}

async function run(selected: Selected, given: ThreadArguments, numbers: Numbers): Promise<Completion> {
  const { session, view } = selected;
  checkCharset(given);
  tellsModseq(session, given.key);
  const { output } = session;
  const known = given.key.key === 'all' ? remembered.get(view.uids)?.get(`${given.algorithm} ${numbers}`) : undefined;
  if (known !== undefined) output.line(known);
  else await sendThreads(selected, given, numbers);
  if (output.full) await output.flush();
  return ok('THREAD completed');
}

/**
 * Answers for all messages of a mailbox: there are clients that ask for them whenever they show one. What they are made of never changes, so
 * they hold as long as the list of messages is the same, and are forgotten with it.
 */
const remembered = new WeakMap<readonly number[], Map<string, string>>();
/** Of an answer. */
const mostRemembered = 4 * 1024 * 1024;

async function sendThreads(selected: Selected, { key, algorithm }: ThreadArguments, numbers: Numbers): Promise<void> {
  const { session: { output }, session, view } = selected;
  const { uids } = view;
  const progress = new TwoLooks(session, view.count);
  const found = await findMessages(selected, key, progress);
  progress.beginSecond(found.length);
  const messages = await readMessages(view, found, progress);
  let answer: string | undefined = key.key === 'all' && messages.length === uids.length ? '' : undefined;
  const add = (text: string): void => {
    output.add(text);
    if (answer !== undefined) answer = answer.length > mostRemembered ? undefined : answer + text;
  };
  add('* THREAD');
  let lead = ' ';
  for (const piece of formatThreads(await progress.during(threadBy[algorithm](messages)), numbers)) {
    add(lead + piece);
    lead = '';
    if (output.full) await output.flush();
  }
  output.line('');
  if (answer === undefined || session.abandoned) return;
  const answers = remembered.get(uids) ?? new Map<string, string>();
  remembered.set(uids, answers.set(`${algorithm} ${numbers}`, answer));
}

const threadBy: Readonly<Record<ThreadAlgorithm, (messages: readonly ThreadMessage[]) => Promise<Thread[]>>> = {
  ORDEREDSUBJECT: threadBySubject,
  REFERENCES: async (messages) => mergeAndSort(await threadByReferences(messages)),
  REFS: async (messages) => sortByNewest(await threadByReferences(messages)),
};

async function threadByReferences(messages: readonly ThreadMessage[]): Promise<Thread[]> {
  const forest = new ReferenceForest();
  const pacer = new Pacer();
  for (const message of messages) {
    forest.add(message);
    if (pacer.isDue) await pacer.breathe();
  }
  return forest.roots();
}

type Told = Omit<ThreadMessage, 'sequence' | 'uid'>;

const told: HeadColumn<Told> = {
  name: 'THREAD',
  of: (row, header) => {
    const id = header === undefined ? undefined : ownId(header);
    const { base, of } = subjectOf(header?.envelope.subject ?? '');
    return { sentMs: sentMs(row, header), subject: { base: ownText(base), of }, id: id === undefined ? undefined : ownText(id), ancestors: header === undefined ? [] : ancestors(header) };
  },
};

async function readMessages(view: View, found: readonly Numbered[], progress: Progress): Promise<ThreadMessage[]> {
  const valuesOf = headValues(view, told);
  const messages: ThreadMessage[] = [];
  const pacer = new Pacer();
  for (const { sequence, row } of found) {
    messages.push({ sequence, uid: row.uid, ...valuesOf(row) });
    if (!pacer.isDue) continue;
    await progress.report(messages.length);
    await pacer.breathe();
  }
  return messages;
}

/** The threads in pieces of text (RFC 5256 section 4, THREAD response). A thread may be deep: it is no function that calls itself. */
function* formatThreads(roots: readonly Thread[], numbers: Numbers): Generator<string, void, void> {
  const waiting: (Thread | '(' | ')')[] = [];
  const postpone = (threads: readonly Thread[]): void => {
    for (const each of threads.toReversed()) waiting.push(')', each, '(');
  };
  postpone(roots);
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    if (typeof next === 'string') {
      yield next;
      continue;
    }
    const { message, children } = next;
    if (message !== undefined) yield `${String(numbers === 'uid' ? message.uid : message.sequence)}${children.length > 0 ? ' ' : ''}`;
    const [only] = children;
    if (children.length === 1 && only !== undefined) waiting.push(only);
    else postpone(children);
  }
}
