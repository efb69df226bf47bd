/** Calls of the admin API of the node that served this page. Every refusal becomes an ApiError; a sign-in that is over is told to the one listener. */

interface Mistake {
  readonly where: string;
  readonly what: string;
}

/** What of a problem document (RFC 9457) the page makes use of. */
interface Problem {
  readonly kind: string;
  readonly detail: string;
  readonly mistakes?: readonly Mistake[];
}

/** `message` says what is wrong and what to do. */
export class ApiError extends Error {
  readonly kind: string;
  readonly status: number;
  readonly mistakes: readonly Mistake[];

  constructor({ kind, detail, mistakes = [] }: Problem, status: number) {
    const advice = advices[kind];
    super(advice === undefined ? sentence(detail) : `${sentence(detail)} ${advice}`);
    this.kind = kind;
    this.status = status;
    this.mistakes = mistakes;
  }
}

/** `background`: nobody did anything, so the sign-in does not get younger. */
export type Activity = 'user' | 'background';

interface Change {
  readonly method: 'POST' | 'PUT' | 'DELETE';
  readonly body?: object;
}

/** In the words of somebody who looks at a page; the API's own advices are for programs. */
const advices: Readonly<Record<string, string>> = {
  'backend-unavailable': 'Try again when the node runs; the overview shows which do.',
  'directory-unavailable': 'Try again when the directory answers.',
  forbidden: 'Ask an administrator who has the permission.',
  limit: 'Wait a moment, then try again.',
  offline: 'Check your connection, or open this page at another node of the cluster.',
};

let tellSignedOut: () => void = () => undefined;

export function onSignedOut(listener: () => void): void {
  tellSignedOut = listener;
}

export async function get<Answer>(path: string, { activity = 'user', signal }: { readonly activity?: Activity; readonly signal?: AbortSignal } = {}): Promise<Answer> {
  return call<Answer>(path, { method: 'GET', ...(signal === undefined ? {} : { signal }) }, activity);
}

export async function change<Answer>(path: string, { method, body }: Change): Promise<Answer> {
  const content = body === undefined ? {} : { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } };
  return call<Answer>(path, { method, ...content }, 'user');
}

/** A path below /api/v1 from its segments, each of which may have any characters. */
export function pathOf(...segments: readonly string[]): string {
  return segments.map((segment) => `/${encodeURIComponent(segment)}`).join('');
}

/** A query from what is set. */
export function queryOf(fields: Readonly<Record<string, string | undefined>>): string {
  const query = new URLSearchParams(Object.entries(fields).filter((pair): pair is [string, string] => pair[1] !== undefined && pair[1] !== '')).toString();
  return query === '' ? '' : `?${query}`;
}

async function call<Answer>(path: string, init: RequestInit & { headers?: Record<string, string> }, activity: Activity): Promise<Answer> {
  let response: Response;
  try {
    response = await fetch(`/api/v1${path}`, { ...init, headers: { ...init.headers, 'waybill-request': activity }, credentials: 'same-origin', cache: 'no-store' });
  } catch (error) {
    if (init.signal?.aborted === true) throw error;
    throw new ApiError({ kind: 'offline', detail: 'This node can’t be reached' }, 0);
  }
  if (response.ok) return response.json() as Promise<Answer>;
  const error = new ApiError(await readProblem(response), response.status);
  if (error.kind === 'signed-out') tellSignedOut();
  throw error;
}

async function readProblem(response: Response): Promise<Problem> {
  try {
    return (await response.json()) as Problem;
  } catch {
    return { kind: 'internal', detail: `The node answered with an error (${String(response.status)})` };
  }
}

/** With a capital and a full stop. */
function sentence(text: string): string {
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}${/[.!?]$/.test(text) ? '' : '.'}`;
}
