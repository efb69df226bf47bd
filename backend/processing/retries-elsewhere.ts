/**
 * Mail to the outside whose client perhaps never heard of its 250, because this node died between commit and reply: the client may
 * have sent it again, and another node took it while this one was down. So before a loose acceptance goes out, the other back-ends
 * are asked for a later one of the same key.
 *
 * Who gives way. An acceptance gives way to a later one only, so two never give way to each other. It gives way only while none of this
 * node's own is behind it: what counts as its retry here has no item of its own, and relies on it. The node that gives way notes the
 * other's acceptance in the same transaction, as confirmed: whatever comes here afterwards is judged as coming after that, and is sent. So
 * whatever is asked when, and whoever is down, no message is lost by it; at worst one goes out twice.
 */
import type { DeliveryRecords, Table } from '../storage/storage.ts';
import { noteElsewhere, retryOf } from './delivery-keys.ts';
import type { AcceptanceName, KeyRules } from './delivery-keys.ts';

/** A loose acceptance of this node, for one recipient. */
export interface LooseAcceptance {
  readonly key: string;
  readonly name: AcceptanceName;
}

/** A node's own later acceptance of each that was asked for, in their order. */
export type LaterOnes = readonly (AcceptanceName | null)[];

/** Asks all other back-ends; `silent` are those that do not answer. Never rejects. */
export type AskOthers = (loose: readonly LooseAcceptance[]) => Promise<ReadonlyMap<string, LaterOnes | 'silent'>>;

/** `unsure`: it is this node's to send, unless the node that is silent has a later one. */
export type Whose = { readonly at: 'ours' } | { readonly at: 'unsure'; readonly silent: string } | { readonly at: 'elsewhere'; readonly node: string };

/** This node's answer to another. */
export function laterOnes(records: Pick<DeliveryRecords, 'read'>, loose: readonly LooseAcceptance[], rules: KeyRules): LaterOnes {
  return records.read((table) => loose.map(({ key, name }) => {
    const later = retryOf(table, key, { name, of: 'this node', rules });
    return later === undefined ? null : { id: later.id, acceptedAtMs: later.acceptedAtMs };
  }));
}

/** Whose each of them is to send, in their order. What gives way is noted. */
export async function whoseTheyAre(records: Pick<DeliveryRecords, 'read' | 'write'>, loose: readonly LooseAcceptance[], { rules, ask }: { readonly rules: KeyRules; readonly ask: AskOthers }): Promise<readonly Whose[]> {
  const known = records.read((table) => loose.map((one) => knownHere(table, one, rules)));
  const questions = loose.filter((_, index) => known[index] === undefined);
  const answers = questions.length === 0 ? new Map<string, LaterOnes | 'silent'>() : await ask(questions);
  return Promise.all(loose.map(async (one, index) => known[index] ?? heard(records, one, { rules, answers, place: questions.indexOf(one) })));
}

/** Undefined: nothing later is on record here. */
function knownHere(table: Table, { key, name }: LooseAcceptance, rules: KeyRules): Whose | undefined {
  if (retryOf(table, key, { name, of: 'this node', rules }) !== undefined) return { at: 'ours' };
  return retryOf(table, key, { name, of: 'another', rules }) === undefined ? undefined : { at: 'elsewhere', node: 'another node' };
}

interface Heard {
  readonly rules: KeyRules;
  readonly answers: ReadonlyMap<string, LaterOnes | 'silent'>;
  /** Its place among what was asked. */
  readonly place: number;
}

async function heard(records: Pick<DeliveryRecords, 'read' | 'write'>, { key, name }: LooseAcceptance, { rules, answers, place }: Heard): Promise<Whose> {
  const [taken] = [...answers].flatMap(([node, ones]) => {
    const later = ones === 'silent' ? undefined : ones[place] ?? undefined;
    return later === undefined ? [] : [{ node, later }];
  });
  if (taken === undefined) {
    const [silent] = [...answers].flatMap(([node, later]) => (later === 'silent' ? [node] : []));
    return silent === undefined ? { at: 'ours' } : { at: 'unsure', silent };
  }
  return records.write((table): Whose => {
    if (retryOf(table, key, { name, of: 'this node', rules }) !== undefined) return { at: 'ours' }; // came while we asked
    noteElsewhere(table, key, taken.later);
    return { at: 'elsewhere', node: taken.node };
  });
}
