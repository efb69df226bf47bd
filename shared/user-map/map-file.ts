/**
 * The text of a local user map (pure). Each line: an address, or a `/regular expression/` that the whole address must match
 * (letter case aside), then white space and `host` or `host:port`. `#` begins a comment. Single addresses go before regular
 * expressions; these are tried in the order of the file, each look-up within a time limit.
 */
import { BoundedPatterns, PatternTooSlow } from './bounded-patterns.ts';

export interface MapFile {
  /**
   * The host for an address in lower case, `host` or `host:port`, and whether a line has the address itself.
   * @throws SlowExpression when a line's expression takes too long for it
   */
  find(address: string): { readonly host: string; readonly by: 'address' | 'pattern' } | undefined;
}

/** The expression of this line, counted from 1, takes too long: whether it matches is not known. */
export class SlowExpression extends Error {
  override readonly name = 'SlowExpression';
  readonly line: number;

  constructor(line: number) {
    super(`the expression in line ${String(line)} takes too long`);
    this.line = line;
  }
}

/** One bad line, counted from 1. */
export interface MapFault { readonly line: number; readonly problem: string }

type Line =
  | { readonly kind: 'address'; readonly address: string; readonly host: string }
  | { readonly kind: 'pattern'; readonly pattern: RegExp; readonly host: string };

const hostGrammar = /^(?:\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?\.?)(?::(?<port>\d{1,5}))?$/;

/** Reads a map file; every bad line is named, and then the map is not to be used. */
export function parseMapFile(text: string): { readonly map: MapFile; readonly faults: readonly MapFault[] } {
  const faults: MapFault[] = [];
  const addresses = new Map<string, string>();
  const patterns: { readonly pattern: RegExp; readonly host: string; readonly line: number }[] = [];
  for (const [index, whole] of text.replace(/^\uFEFF/, '').split(/\r?\n/).entries()) {
    const content = whole.trim();
    if (content === '' || content.startsWith('#')) continue;
    const line = parseLine(content);
    if (typeof line === 'string') faults.push({ line: index + 1, problem: line });
    else if (line.kind === 'pattern') patterns.push({ pattern: line.pattern, host: line.host, line: index + 1 });
    else if (addresses.has(line.address)) faults.push({ line: index + 1, problem: `${line.address} is there twice` });
    else addresses.set(line.address, line.host);
  }
  const bounded = new BoundedPatterns(patterns.map(({ pattern }) => pattern));
  const find: MapFile['find'] = (address) => {
    const own = addresses.get(address);
    if (own !== undefined) return { host: own, by: 'address' };
    try {
      const host = patterns[bounded.find(address) ?? patterns.length]?.host;
      return host === undefined ? undefined : { host, by: 'pattern' };
    } catch (error) {
      throw error instanceof PatternTooSlow ? new SlowExpression(patterns[error.index]?.line ?? 0) : error;
    }
  };
  return { map: { find }, faults };
}

/** A line's meaning, or what is wrong with it. */
function parseLine(content: string): Line | string {
  const { source, expression, host } = /^(?<source>\/(?<expression>.+)\/|[^\s/]\S*)\s+(?<host>\S+)(?:\s+#.*)?$/.exec(content)?.groups ?? {};
  if (source === undefined || host === undefined) return 'not of the form "address host" or "/expression/ host"';
  const port = hostGrammar.exec(host);
  if (port === null || Number(port.groups?.['port'] ?? 1) > 65_535 || port.groups?.['port'] === '0') return `"${host}" is not host or host:port`;
  if (expression === undefined) {
    return /^[^@]+@[^@]+$/.test(source) ? { kind: 'address', address: source.toLowerCase(), host } : `"${source}" is not an address`;
  }
  try {
    return { kind: 'pattern', pattern: new RegExp(`^(?:${expression})$`, 'iu'), host };
  } catch (error) {
    return error instanceof Error ? error.message : 'not a regular expression';
  }
}
