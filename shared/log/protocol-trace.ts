/**
 * The protocol trace of single accounts, which an administrator switches on for a while: what their sessions say, in a file of its
 * own. Sessions ask once, when it is known whose they are; those that are not traced pay nothing more.
 */
import { LineFile } from './line-file.ts';

export type Way = 'client' | 'server';
/** Takes a line of the conversation, without secrets and texts of messages. */
export type TellTrace = (way: Way, text: string) => void;

export interface TracedSession {
  readonly service: string;
  readonly session: string;
  /** Canonical address. */
  readonly account: string;
}

const longestText = 2000;
const mostAccounts = 100;

/** By canonical address: until when, milliseconds since 1970. */
const traced = new Map<string, number>();
let output: { readonly node: string; readonly file: LineFile } | undefined;

/** Says where the process writes its traces. */
export function openProtocolTrace(node: string, path: string): void {
  output = { node, file: new LineFile(path) };
}

/** For sessions that begin from now on; sessions under way end theirs when the time is over. `untilMs` in the past switches it off. */
export function traceProtocol(account: string, untilMs: number): 'done' | 'too many accounts' {
  for (const [known, end] of traced) if (end <= Date.now()) traced.delete(known);
  traced.delete(account);
  if (untilMs <= Date.now()) return 'done';
  if (traced.size >= mostAccounts) return 'too many accounts';
  traced.set(account, untilMs);
  return 'done';
}

/** Until when an account is traced, milliseconds since 1970; undefined when it is not. */
export function tracedUntil(account: string): number | undefined {
  const untilMs = traced.get(account);
  return untilMs !== undefined && untilMs > Date.now() ? untilMs : undefined;
}

/** What takes the lines of a session; undefined when its account is not traced. */
export function traceOf(about: TracedSession): TellTrace | undefined {
  if (traced.size === 0 || output === undefined || tracedUntil(about.account) === undefined) return undefined;
  const { node, file } = output;
  return (way, text) => {
    if (tracedUntil(about.account) === undefined) return;
    file.write(`${JSON.stringify({ time: new Date().toISOString(), host: node, ...about, way, text: text.slice(0, longestText) })}\n`, 'soon');
  };
}
