/**
 * One operation of the admin API: its path, what it takes and answers (zod schemas, from which requests are checked and the
 * OpenAPI document is made), who may do it and which node does it. Every node knows all operations; each has handlers for those
 * that it can do itself, and passes the others on.
 */
import { z } from 'zod';
import type { Caller } from './caller.ts';
import type { Capability } from './capability.ts';

export type Method = 'GET' | 'POST' | 'PUT' | 'DELETE';

/**
 * Who does it: whichever node is asked; the one that the path's `{node}` names; a front-end; the back-end where the user map says that the account
 * `{address}` lives; the back-end that has a record of `{address}`, in use or not, else where it would live.
 */
export type Place = 'here' | 'node' | 'frontend' | 'keeper' | 'holder';

type Shape = z.ZodRawShape;

export interface Operation<Params extends Shape = Shape, Query extends Shape = Shape, Body extends z.ZodType = z.ZodType, Answer extends z.ZodType = z.ZodType> {
  /** operationId of the document, and name in the audit. */
  readonly name: string;
  readonly method: Method;
  /** Below /api/v1, with `{name}` for a segment that varies. */
  readonly path: string;
  readonly summary: string;
  /** Heading in the document. */
  readonly group: string;
  /** `anybody`: also who did not sign in; `signed-in`: any administrator; `any-of`: see `capabilityOf`. */
  readonly needs: Capability | 'anybody' | 'signed-in' | ((params: Readonly<Record<string, string>>) => Capability);
  readonly place: Place;
  /** Kept in the audit. Reading is not. */
  readonly kind: 'read' | 'act';
  readonly params: z.ZodObject<Params>;
  readonly query: z.ZodObject<Query>;
  readonly body: Body;
  readonly answer: Answer;
}

export interface Call<Params = Readonly<Record<string, string>>, Query = unknown, Body = unknown> {
  readonly caller: Caller;
  readonly params: Params;
  readonly query: Query;
  readonly body: Body;
  readonly reply: Reply;
  /** Asks another node to do an operation for the same caller; what it answers. Throws the other's refusal. */
  readonly ask: (node: string, path: string, request?: Asking) => Promise<unknown>;
  /** The same of the back-end that keeps an account. @throws Failure('unknown-user') when none does */
  readonly askKeeper: (address: string, path: string, request?: Asking) => Promise<unknown>;
}

export interface Asking {
  readonly method?: Method;
  readonly body?: unknown;
}

/** What a handler may say beside its answer. */
export interface Reply {
  setCookie(value: string): void;
  /** What the audit is to have of an act beside path and caller. */
  note(facts: Readonly<Record<string, unknown>>): void;
}

/** An operation with what does it at this node. */
export interface Handled {
  readonly operation: Operation;
  readonly handle: (call: Call) => Promise<unknown>;
}

type Definition<P extends Shape, Q extends Shape, B extends z.ZodType, A extends z.ZodType> =
  Omit<Operation<P, Q, B, A>, 'params' | 'query' | 'body'> & { readonly params?: z.ZodObject<P>; readonly query?: z.ZodObject<Q>; readonly body?: B };

const nothing = z.undefined();

/** Defines one; what is not given is empty. */
export function operation<P extends Shape = Record<never, never>, Q extends Shape = Record<never, never>, B extends z.ZodType = z.ZodUndefined, A extends z.ZodType = z.ZodType>(
  given: Definition<P, Q, B, A>,
): Operation<P, Q, B, A> {
  return {
    ...given,
    params: given.params ?? (z.strictObject({}) as unknown as z.ZodObject<P>),
    query: given.query ?? (z.strictObject({}) as unknown as z.ZodObject<Q>),
    body: given.body ?? (nothing as unknown as B),
  };
}

/** Joins an operation with what does it; types of the schemas hold inside. */
export function handled<P extends Shape, Q extends Shape, B extends z.ZodType, A extends z.ZodType>(
  given: Operation<P, Q, B, A>,
  handle: (call: Call<z.output<z.ZodObject<P>>, z.output<z.ZodObject<Q>>, z.output<B>>) => Promise<z.input<A>>,
): Handled {
  return { operation: given as unknown as Operation, handle: handle as unknown as Handled['handle'] };
}

/** Whether an operation takes a body. */
export function takesBody(given: Operation): boolean {
  return !(given.body instanceof z.ZodUndefined);
}

/** The segments of a path that fit an operation's; undefined when they don't. Percent-encoding is taken off. */
export function matchPath(pattern: string, path: string): Record<string, string> | undefined {
  const [wanted, given] = [pattern.split('/'), path.split('/')];
  if (wanted.length !== given.length) return undefined;
  const params: Record<string, string> = {};
  for (const [index, segment] of wanted.entries()) {
    const actual = given[index] ?? '';
    if (!segment.startsWith('{')) {
      if (segment !== actual) return undefined;
    } else {
      const text = decode(actual);
      if (text === undefined || text === '') return undefined;
      params[segment.slice(1, -1)] = text;
    }
  }
  return params;
}

function decode(segment: string): string | undefined {
  try {
    return decodeURIComponent(segment);
  } catch (error) {
    if (error instanceof URIError) return undefined;
    throw error;
  }
}
