/** Sorts long lists in pieces, so that everybody else of this process gets a turn in between. */
import { Pacer } from './pacer.ts';

type Comparison<Item> = (one: Item, other: Item) => number;

/** Items sorted at once; a few milliseconds. */
const runLength = 4096;
/** Items merged before the time is looked at. */
const stride = 1024;

/** The items in order; equal ones keep theirs. */
export async function sortPaced<Item>(items: readonly Item[], compare: Comparison<Item>): Promise<Item[]> {
  const pacer = new Pacer();
  let runs: Item[][] = [];
  for (let at = 0; at < items.length; at += runLength) {
    runs.push(items.slice(at, at + runLength).sort(compare));
    if (pacer.isDue) await pacer.breathe();
  }
  while (runs.length > 1) {
    const merged: Item[][] = [];
    for (let at = 0; at < runs.length; at += 2) {
      const piece: Item[] = [];
      for (const step of merge(runs[at] ?? [], runs[at + 1] ?? [], { compare, into: piece })) if (step === 'stride' && pacer.isDue) await pacer.breathe();
      merged.push(piece);
    }
    runs = merged;
  }
  return runs[0] ?? [];
}

/** Merges two sorted runs; stops after each stride. */
function* merge<Item>(
  left: readonly Item[],
  right: readonly Item[],
  { compare, into }: { readonly compare: Comparison<Item>; readonly into: Item[] },
): Generator<'stride', void, void> {
  let nextLeft = 0;
  let nextRight = 0;
  while (nextLeft < left.length || nextRight < right.length) {
    const one = left[nextLeft];
    const other = right[nextRight];
    const takesLeft = nextRight >= right.length || (nextLeft < left.length && compare(one as Item, other as Item) <= 0);
    into.push((takesLeft ? one : other) as Item);
    if (takesLeft) nextLeft += 1;
    else nextRight += 1;
    if (into.length % stride === 0) yield 'stride';
  }
}
