/** Threads by references and subjects, where a conversation would hide the point: loops, doubles, quoting, hostile chains. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { mergeAndSort, sortByNewest, subjectOf } from '../../../backend/imap/thread-order.ts';
import { ReferenceForest } from '../../../backend/imap/thread-references.ts';
import type { Thread, ThreadMessage } from '../../../backend/imap/thread-references.ts';
import { ancestors, ownId } from '../../../shared/mime/message-ids.ts';
import { scanMessage } from '../../../shared/mime/scan.ts';

/** `id < ancestor ancestor: subject` in the order of the mailbox, sent in that order. */
function messages(...lines: readonly string[]): ThreadMessage[] {
  return lines.map((line, index) => {
    const [, named = '', subject = ''] = /^(.*?): (.*)$/.exec(line) ?? [];
    const [id = '', chain = ''] = named.split(' < ');
    return { sequence: index + 1, uid: index + 1, sentMs: index, subject: subjectOf(subject), id: id === '' ? undefined : id, ancestors: chain.split(' ').filter((each) => each !== '') };
  });
}

function rootsOf(all: readonly ThreadMessage[]): Thread[] {
  const forest = new ReferenceForest();
  for (const message of all) forest.add(message);
  return forest.roots();
}

function shape(threads: readonly Thread[]): unknown[] {
  return threads.map(({ message, children }) => (children.length === 0 ? message?.sequence : [message?.sequence ?? 'absent', ...shape(children)]));
}

async function threaded(...lines: readonly string[]): Promise<unknown[]> {
  return shape(await mergeAndSort(rootsOf(messages(...lines))));
}

test('an answer that came first finds its question', async () => {
  assert.deepEqual(await threaded('b < a: x', 'a: y'), [[2, 1]]);
});

test('references in a circle make no circle', async () => {
  assert.deepEqual(await threaded('a < b: x', 'b < a: y'), [[2, 1]]);
  assert.deepEqual(await threaded('a < a: x'), [1]);
  assert.deepEqual(await threaded('a < c: 1', 'b < a: 2', 'c < b: 3'), [[3, [1, 2]]]);
});

test('of two messages with one id only the first is the parent', async () => {
  assert.deepEqual(await threaded('a: x', 'a: y', 'b < a: z'), [[1, 3], 2]);
});

test('what a message says of itself counts more than what others say of it', async () => {
  assert.deepEqual(await threaded('c < a b: 1', 'b: 2', 'a: 3'), [[2, 1], 3]);
});

test('absent messages between those that are here vanish; above them they hold together what is here', async () => {
  assert.deepEqual(await threaded('a: 1', 'c < a gone: 2'), [[1, 2]]);
  assert.deepEqual(await threaded('b < gone: 1', 'c < gone: 2'), [['absent', 1, 2]]);
  assert.deepEqual(await threaded('b < far gone: 1', 'c < far lost: 2'), [['absent', 1, 2]]);
  assert.deepEqual(await threaded('b < gone: 1'), [1]);
});

test('threads with one subject become one: answers below the question, equals beside each other', async () => {
  assert.deepEqual(await threaded('a: lunch', 'b: Re: lunch'), [[1, 2]]);
  assert.deepEqual(await threaded('a: Re: lunch', 'b: lunch', 'c: [l] Lunch (fwd)'), [[2, 1, 3]]);
  assert.deepEqual(await threaded('a: lunch', 'b: lunch', 'c: Re: lunch'), [['absent', 1, 2, 3]]);
  assert.deepEqual(await threaded('a < gone: lunch', 'b < gone: Re: lunch', 'c: lunch', 'd < lost: lunch', 'e < lost: x'), [['absent', 1, 2, 3, 4, 5]]);
  assert.deepEqual(await threaded(': ', ': ', ': Re:'), [1, 2, 3]);
});

test('REFS looks at no subjects, and the thread with the newest message is the last', async () => {
  const roots = rootsOf(messages('a: lunch', 'b: lunch', 'c < a: x'));
  assert.deepEqual(shape(await sortByNewest(roots)), [2, [1, 3]]);
});

test('ids are compared without their quoting; References count before In-Reply-To', () => {
  const read = (fields: string): unknown => {
    const head = scanMessage(Buffer.from(`${fields}\r\n\r\n`));
    return [ownId(head), ancestors(head)];
  };
  assert.deepEqual(read('Message-ID: <"01KF8JCEOCBS0045PS"@xxx.yyy.com>'), ['01KF8JCEOCBS0045PS@xxx.yyy.com', []]);
  assert.deepEqual(read('Message-ID: (new) <a@b> more\r\nReferences: <c@d> <"e"@f>\r\nIn-Reply-To: <g@h>'), ['a@b', ['c@d', 'e@f']]);
  assert.deepEqual(read('Message-ID: nonsense\r\nIn-Reply-To: Ann <ann> wrote <g@h> to <i@j>'), [undefined, ['g@h']]);
  assert.deepEqual(read('References: <rubbish> <more>\r\nIn-Reply-To: <g@h>'), [undefined, ['g@h']]);
});

test('a hundred thousand messages in one chain, and as many absent ones, take moderate time and no deep stack', { timeout: 30_000 }, async () => {
  const chain = messages(...Array.from({ length: 100_000 }, (_item, index) => `m${String(index)} < ${index === 0 ? '' : `m${String(index - 1)}`}: s`));
  assert.equal((await mergeAndSort(rootsOf(chain))).length, 1);
  const absent = messages(...Array.from({ length: 5000 }, (_item, index) => `m${String(index)} < ${Array.from({ length: 21 }, (_id, back) => `gone${String(index * 20 + back)}`).join(' ')}: s`));
  const [only] = rootsOf(absent);
  assert.equal(only?.children.length, 5000);
});
