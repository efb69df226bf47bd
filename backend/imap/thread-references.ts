/** Who answers whom, by Message-ID and References (RFC 5256 section 3, REFERENCES, steps 1 to 3). Pure. */

/** What a subject is about (RFC 5256 section 2.1). */
export interface ThreadSubject {
  /** As it is compared. */
  readonly base: string;
  readonly of: 'reply-or-forward' | 'original';
}

/** A message as threads see it. */
export interface ThreadMessage {
  readonly sequence: number;
  readonly uid: number;
  readonly sentMs: number;
  readonly subject: ThreadSubject;
  readonly id: string | undefined;
  /** The nearest last. */
  readonly ancestors: readonly string[];
}

/** A message and what answers it; without a message it holds together what belongs together. */
export interface Thread {
  readonly message: ThreadMessage | undefined;
  readonly children: Thread[];
}

/** What an id stands for; without a message, one that is not here. */
interface Node {
  message: ThreadMessage | undefined;
  parent: Node | undefined;
  childCount: number;
  thread: Thread | undefined;
}

export class ReferenceForest {
  readonly #byId = new Map<string, Node>();
  readonly #nodes: Node[] = [];

  /** Takes the next message in mailbox order (step 1). */
  add(message: ThreadMessage): void {
    const node = this.#nodeFor(message);
    let previous: Node | undefined;
    for (const id of message.ancestors) {
      const next = this.#byId.get(id) ?? this.#create(id);
      if (previous !== undefined && next.parent === undefined) link(next, previous);
      previous = next;
    }
    // The last reference is the parent, whatever the ids of others made us believe.
    if (node.parent !== undefined) unlink(node, node.parent);
    if (previous !== undefined) link(node, previous);
  }

  /** The threads so far, without the messages that are not here, in no order (steps 2 and 3). */
  roots(): Thread[] {
    const roots: Thread[] = [];
    for (const node of this.#nodes) {
      if (node.message === undefined) continue;
      const holder = this.#holderOf(node);
      if (holder === undefined) roots.push(threadOf(node));
      else {
        const thread = threadOf(holder);
        if (holder.message === undefined && thread.children.length === 0) roots.push(thread);
        thread.children.push(threadOf(node));
      }
    }
    return roots.map((root) => (root.message === undefined && root.children.length === 1 ? root.children[0] ?? root : root));
  }

  /** Only the first message of an id has it; the others are nobody's parent. */
  #nodeFor(message: ThreadMessage): Node {
    const known = message.id === undefined ? undefined : this.#byId.get(message.id);
    const node = known !== undefined && known.message === undefined ? known : this.#create(known === undefined ? message.id : undefined);
    node.message = message;
    return node;
  }

  #create(id: string | undefined): Node {
    const node: Node = { message: undefined, parent: undefined, childCount: 0, thread: undefined };
    if (id !== undefined) this.#byId.set(id, node);
    this.#nodes.push(node);
    return node;
  }

  /** The nearest ancestor that is here, else the uppermost of those that are not. Long ways up are walked once. */
  #holderOf(node: Node): Node | undefined {
    let holder = node.parent;
    const passed: Node[] = [];
    while (holder !== undefined && holder.message === undefined && holder.parent !== undefined) {
      passed.push(holder);
      holder = holder.parent;
    }
    for (const absent of passed) absent.parent = holder;
    return holder;
  }
}

function threadOf(node: Node): Thread {
  node.thread ??= { message: node.message, children: [] };
  return node.thread;
}

/** Makes `child` a child of `parent`, unless it is among its ancestors. */
function link(child: Node, parent: Node): void {
  // Who has no children is nobody's ancestor: mostly there is no need to look.
  if (child === parent || (child.childCount > 0 && isBelow(parent, child))) return;
  child.parent = parent;
  parent.childCount += 1;
}

function unlink(child: Node, parent: Node): void {
  child.parent = undefined;
  parent.childCount -= 1;
}

function isBelow(node: Node, ancestor: Node): boolean {
  for (let above = node.parent; above !== undefined; above = above.parent) if (above === ancestor) return true;
  return false;
}
