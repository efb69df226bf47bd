/** Calls of the API. Every refusal becomes an ApiError; a session that is over is told to the one listener. */
import type { ErrorView } from '../../api.ts';
import { texts } from './texts.ts';

export class ApiError extends Error {
  readonly kind: string;
  readonly status: number;

  constructor(kind: string, text: string, status: number) {
    super(text);
    this.kind = kind;
    this.status = status;
  }
}

/** `background`: nobody did anything, so the session does not get younger. */
export type Activity = 'user' | 'background';

let tellSignedOut: () => void = () => undefined;

export function onSignedOut(listener: () => void): void {
  tellSignedOut = listener;
}

export async function get<Answer>(path: string, activity: Activity = 'user'): Promise<Answer> {
  return (await call(path, { method: 'GET' }, activity)).json() as Promise<Answer>;
}

export async function post<Answer>(path: string, body: object | FormData): Promise<Answer> {
  const init = body instanceof FormData ? { body } : { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } };
  return (await call(path, { method: 'POST', ...init }, 'user')).json() as Promise<Answer>;
}

export async function getBlob(path: string): Promise<Blob> {
  return (await call(path, { method: 'GET' }, 'user')).blob();
}

async function call(path: string, init: RequestInit & { headers?: Record<string, string> }, activity: Activity): Promise<Response> {
  let response: Response;
  try {
    response = await fetch(path, { ...init, headers: { ...init.headers, 'waybill-request': activity }, credentials: 'same-origin', cache: 'no-store' });
  } catch {
    throw new ApiError('offline', texts.value.offline, 0);
  }
  if (response.ok) return response;
  const error = await readError(response);
  if (error.kind === 'signed-out') tellSignedOut();
  throw error;
}

async function readError(response: Response): Promise<ApiError> {
  try {
    const { error } = (await response.json()) as ErrorView;
    return new ApiError(error.kind, texts.value.errors[error.kind]?.(error.text) ?? error.text, response.status);
  } catch {
    return new ApiError('internal', texts.value.serverError(String(response.status)), response.status);
  }
}
