/** What the POSTs of a node's admin listener are, for the audit: each route says whether it is an act, and of which of its words the audit is to know. Pure. */

/** Something that an administrator does by a command. */
export interface RouteAct {
  /** Its name in the audit: that of the operation that does the same. */
  readonly what: string;
  /** How the audit calls the rest of the path; absent where there is none. */
  readonly argument?: string;
  /** Fields of the body that the audit has. No other gets there: bodies have passwords. */
  readonly fields?: readonly string[];
}

/**
 * What a POST is. `question`: it changes nothing. `step`: nodes do it by themselves, or it is part of an act that is in the audit
 * already.
 */
export type PostKind = 'question' | 'step' | RouteAct;

const longestText = 320;
const mostValues = 20;

/** What the audit has of it, whatever was sent. */
export function factsOfAct({ argument: name, fields = [] }: RouteAct, argument: string, body: unknown): Readonly<Record<string, unknown>> {
  const given = typeof body === 'object' && body !== null ? new Map<string, unknown>(Object.entries(body)) : new Map<string, unknown>();
  const told = fields.flatMap((field): [string, unknown][] => (given.get(field) === undefined ? [] : [[field, short(given.get(field))]]));
  return { ...(name === undefined ? {} : { [name]: argument.slice(0, longestText).toLowerCase() }), ...Object.fromEntries(told) };
}

function short(value: unknown): unknown {
  if (Array.isArray(value)) return value.slice(0, mostValues).map((one) => (Array.isArray(one) ? '…' : short(one)));
  if (typeof value === 'string') return value.slice(0, longestText);
  return typeof value === 'object' && value !== null ? '…' : value;
}
