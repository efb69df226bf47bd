/**
 * Counters, gauges and histograms of this process (the face of this room). A family is made once, as a constant beside the code that
 * counts; it belongs to the process, as its memory does, so nobody has to be handed a registry. What all processes of a node
 * have counted together is told by `measure` of the worker's context, and by /metrics.
 *
 *     const refused = counter({ name: 'waybill_imap_refused', help: 'Commands that were refused.', labels: ['reason'] });
 *     refused.add({ reason: failure.kind });
 *
 * A label's values are few and known before: a service, a configured node, a kind of failure; never an address of a user or client.
 */
import { keyOf, separator } from './snapshot.ts';
import type { Combine, Family, MeasuredFamily, Series, Snapshot } from './snapshot.ts';

export type { Snapshot } from './snapshot.ts';

export interface FamilyOptions<Label extends string> {
  /** Begins with `waybill_`; ends with the unit if there is one; without `_total`. */
  readonly name: string;
  readonly help: string;
  readonly labels?: readonly Label[];
  readonly unit?: 'seconds' | 'bytes';
}

type Labels<Label extends string> = Readonly<Record<Label, string>>;

export interface Counter<Label extends string> {
  add(labels: Labels<Label>, amount?: number): void;
}

export interface Gauge<Label extends string> extends Counter<Label> {
  set(labels: Labels<Label>, value: number): void;
  /** Forgets all series, before those that exist now are set. */
  clear(): void;
}

export interface Histogram<Label extends string> {
  observe(labels: Labels<Label>, value: number): void;
}

/** A mistake that gives a label values without end costs so much memory and no more: what is beyond is counted as `other`. */
const mostSeries = 500;

const families = new Map<string, Recorder>();
const readings = new Set<() => void>();

/** A number that only grows. */
export function counter<Label extends string = never>(options: FamilyOptions<Label>): Counter<Label> {
  const recorder = register({ ...familyOf(options), kind: 'counter', combine: 'sum' });
  return { add: (labels, amount = 1) => recorder.add(labels, amount) };
}

/** A number that goes up and down. `combine`: what the values of several workers are together; the sum when absent. */
export function gauge<Label extends string = never>(options: FamilyOptions<Label> & { readonly combine?: Combine }): Gauge<Label> {
  const recorder = register({ ...familyOf(options), kind: 'gauge', combine: options.combine ?? 'sum' });
  return {
    add: (labels, amount = 1) => recorder.add(labels, amount),
    set: (labels, value) => recorder.set(labels, value),
    clear: () => recorder.clear(),
  };
}

/** How values (mostly durations in seconds) are spread over `bounds`, ascending. */
export function histogram<Label extends string = never>(options: FamilyOptions<Label> & { readonly bounds: readonly number[] }): Histogram<Label> {
  const recorder = register({ ...familyOf(options), kind: 'histogram', combine: 'sum', bounds: options.bounds });
  return { observe: (labels, value) => recorder.observe(labels, value) };
}

/** Called before each snapshot, for values that are read rather than counted; answers what ends it. It must be quick and not throw. */
export function whenMeasured(read: () => void): () => void {
  readings.add(read);
  return () => readings.delete(read);
}

/** All families of this process now. */
export function snapshot(): Snapshot {
  for (const read of readings) read();
  return [...families.values()].map((recorder) => recorder.measured());
}

function familyOf<Label extends string>({ name, help, labels, unit }: FamilyOptions<Label>): Omit<Family, 'kind' | 'combine'> {
  return { name, help, labels: labels ?? [], unit };
}

function register(family: Family): Recorder {
  if (families.has(family.name)) throw new Error(`two families of metrics are called ${family.name}`);
  const recorder = new Recorder(family);
  families.set(family.name, recorder);
  return recorder;
}

/** `keyOf` of these labels' values, without a list of them: it is looked for at every count. */
function keyFor(names: readonly string[], labels: Readonly<Record<string, string>>): string {
  let key = labels[names[0] ?? ''] ?? '';
  for (let index = 1; index < names.length; index += 1) key += `${separator}${labels[names[index] ?? ''] ?? ''}`;
  return key;
}

/** The series of one family. */
class Recorder {
  readonly #family: Family;
  readonly #series = new Map<string, { readonly labels: readonly string[]; readonly values: number[] }>();

  constructor(family: Family) {
    this.#family = family;
    if (family.labels.length === 0) this.#find({}); // there from the start: a counter that is missing can't be told from one at 0
  }

  add(labels: Readonly<Record<string, string>>, amount: number): void {
    const values = this.#find(labels);
    values[0] = (values[0] ?? 0) + amount;
  }

  set(labels: Readonly<Record<string, string>>, value: number): void {
    this.#find(labels)[0] = value;
  }

  observe(labels: Readonly<Record<string, string>>, value: number): void {
    const bounds = this.#family.bounds ?? [];
    const values = this.#find(labels);
    const bucket = bounds.findIndex((bound) => value <= bound);
    const at = bucket === -1 ? bounds.length : bucket;
    values[at] = (values[at] ?? 0) + 1;
    values[bounds.length + 1] = (values[bounds.length + 1] ?? 0) + value;
  }

  clear(): void {
    this.#series.clear();
  }

  measured(): MeasuredFamily {
    return { ...this.#family, series: [...this.#series.values()].map(({ labels, values }): Series => ({ labels, values: [...values] })) };
  }

  #find(labels: Readonly<Record<string, string>>): number[] {
    const found = this.#series.get(keyFor(this.#family.labels, labels));
    if (found !== undefined) return found.values;
    const given = this.#family.labels.map((label) => labels[label] ?? '');
    const kept = this.#series.size < mostSeries ? given : given.map(() => 'other');
    const present = this.#series.get(keyOf(kept));
    if (present !== undefined) return present.values;
    const values = Array.from({ length: this.#family.bounds === undefined ? 1 : this.#family.bounds.length + 2 }, () => 0);
    this.#series.set(keyOf(kept), { labels: kept, values });
    return values;
  }
}
