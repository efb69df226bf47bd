/** In which order SORT answers, and what THREAD makes of messages: RFC 5256 word by word, however slow. */
import assert from 'node:assert/strict';
import type { Letter } from './letters.ts';
import type { ModelMessage } from './mailbox-model.ts';

type Value = string | number;

const keys = {
  ARRIVAL: ({ arrivedMs }: Letter): Value => arrivedMs,
  CC: ({ cc }: Letter): Value => cc,
  DATE: ({ sentMs }: Letter): Value => sentMs,
  DISPLAYFROM: ({ display }: Letter): Value => display,
  FROM: ({ from }: Letter): Value => from,
  SIZE: ({ text }: Letter): Value => text.length,
  SUBJECT: ({ base }: Letter): Value => base,
  TO: ({ to }: Letter): Value => to,
};

/** @param criteria what stands in the brackets of SORT. @param messages as they stand in the mailbox */
export function sorted(messages: readonly ModelMessage[], criteria: string): ModelMessage[] {
  const words = criteria.split(' ');
  // From the last criterion to the first: sorting keeps the order of what is equal, which in the end is that of the mailbox.
  let order = [...messages];
  for (let at = words.length - 1; at >= 0; at -= 1) {
    const word = words[at] ?? '';
    if (word === 'REVERSE') continue;
    assert.ok(word in keys, word);
    const value = keys[word as keyof typeof keys];
    const sign = words[at - 1] === 'REVERSE' ? -1 : 1;
    order = order.toSorted((one, other) => sign * compared(value(one.letter), value(other.letter)));
  }
  return order;
}

function compared(one: Value, other: Value): number {
  return one < other ? -1 : one > other ? 1 : 0;
}

/** A message, or without one a dummy. */
interface Node {
  message: ModelMessage | undefined;
  parent: Node | undefined;
  children: Node[];
}

const dummy = (): Node => ({ message: undefined, parent: undefined, children: [] });

/** @param messages as they stand in the mailbox. @param number says one in the client's numbers. Answers what stands behind THREAD */
export function threaded(messages: readonly ModelMessage[], algorithm: 'ORDEREDSUBJECT' | 'REFERENCES' | 'REFS', number: (message: ModelMessage) => number): string {
  const bySent = sorted(messages, 'DATE');
  const rank = (node: Node): number => (node.message === undefined ? Math.min(...node.children.map(rank)) : bySent.indexOf(node.message));
  const roots = algorithm === 'ORDEREDSUBJECT' ? bySubject(bySent) : prune(linked(messages));
  if (algorithm === 'REFERENCES') gather(roots.sort((one, other) => rank(one) - rank(other)), rank);
  for (const root of roots) sortBelow(root, rank);
  // REFS is in no RFC: as others have it, the thread with the newest message is the last; of equal ones the one whose first message is the earlier.
  const newest = (node: Node): number => Math.max(node.message?.letter.sentMs ?? -Infinity, ...node.children.map(newest));
  const first = (node: Node): number => messages.indexOf(node.message ?? node.children[0]?.message ?? assert.fail('an empty thread'));
  roots.sort((one, other) => (algorithm === 'REFS' ? newest(one) - newest(other) || first(one) - first(other) : rank(one) - rank(other)));
  return roots.map((root) => `(${said(root, number)})`).join('');
}

function said({ message, children }: Node, number: (message: ModelMessage) => number): string {
  const own = message === undefined ? '' : String(number(message));
  const [only] = children;
  if (message !== undefined && only !== undefined && children.length === 1) return `${own} ${said(only, number)}`;
  return `${own}${own === '' || children.length === 0 ? '' : ' '}${children.map((child) => `(${said(child, number)})`).join('')}`;
}

function sortBelow(node: Node, rank: (node: Node) => number): void {
  for (const child of node.children) sortBelow(child, rank);
  node.children.sort((one, other) => rank(one) - rank(other));
}

/** The first of each subject, with the others below. */
function bySubject(bySent: readonly ModelMessage[]): Node[] {
  const roots: Node[] = [];
  for (const message of bySent) {
    const node: Node = { ...dummy(), message };
    const root = roots.find((one) => one.message?.letter.base === message.letter.base);
    if (root === undefined) roots.push(node);
    else root.children.push(node);
  }
  return roots;
}

/** Steps 1 and 2. */
function linked(messages: readonly ModelMessage[]): Node[] {
  const nodes = new Map<string, Node>();
  const of = (id: string): Node => {
    const node = nodes.get(id) ?? dummy();
    nodes.set(id, node);
    return node;
  };
  for (const message of messages) {
    const { id, references } = message.letter;
    const chain = references.map(of);
    for (const [index, next] of chain.entries()) if (next.parent === undefined) adopt(chain[index - 1], next);
    const own = id === undefined || of(id).message !== undefined ? of(`unique ${String(message.uid)}`) : of(id);
    own.message = message;
    adopt(undefined, own);
    adopt(chain.at(-1), own);
  }
  return [...nodes.values()].filter(({ parent }) => parent === undefined);
}

/** Unless that made a loop. */
function adopt(parent: Node | undefined, child: Node): void {
  for (let above = parent; above !== undefined; above = above.parent) if (above === child) return;
  if (child.parent !== undefined) child.parent.children = child.parent.children.filter((one) => one !== child);
  child.parent = parent;
  parent?.children.push(child);
}

/** Step 3. */
function prune(roots: readonly Node[]): Node[] {
  const below = (nodes: readonly Node[]): Node[] => nodes.flatMap((node) => {
    node.children = below(node.children);
    return node.message === undefined ? node.children : [node];
  });
  return roots.flatMap((root) => {
    root.children = below(root.children);
    return root.message === undefined && root.children.length < 2 ? root.children : [root];
  });
}

/** Step 5, on threads in order. */
function gather(roots: Node[], rank: (node: Node) => number): void {
  const letterOf = (node: Node): Letter => (node.message ?? [...node.children].sort((one, other) => rank(one) - rank(other))[0]?.message ?? assert.fail('an empty thread')).letter;
  const answers = (node: Node): boolean => letterOf(node).of === 'reply-or-forward';
  const table = new Map<string, Node>();
  for (const node of roots) {
    const { base } = letterOf(node);
    if (base === '') continue;
    const known = table.get(base);
    if (known === undefined || (known.message !== undefined && (node.message === undefined || (answers(known) && !answers(node))))) table.set(base, node);
  }
  for (const node of [...roots]) {
    const { base } = letterOf(node);
    const known = table.get(base);
    if (known === undefined || known === node) continue;
    roots.splice(roots.indexOf(node), 1);
    if (known.message === undefined) known.children.push(...(node.message === undefined ? node.children : [node]));
    else if (answers(node) && !answers(known)) known.children.push(node);
    else {
      const both: Node = { ...dummy(), children: [known, node] };
      roots.splice(roots.indexOf(known), 1, both);
      table.set(base, both);
    }
  }
}
