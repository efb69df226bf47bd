/** Message flags as commands name them (RFC 9051 section 2.3.2). */
import { malformed } from './scanner.ts';
import type { Scanner } from './scanner.ts';

/** System flags in the order we list them. */
export const systemFlags = ['\\Answered', '\\Flagged', '\\Deleted', '\\Seen', '\\Draft'] as const;
export type SystemFlag = (typeof systemFlags)[number];

const longestKeyword = 100;

/** What a flag list says. */
export interface FlagNames {
  readonly system: readonly SystemFlag[];
  readonly keywords: readonly string[];
}

/** `(\Seen $Forwarded)`, also empty. @throws bad-input */
export function takeFlagList(scanner: Scanner): FlagNames {
  return sortFlags(scanner.list(() => takeFlag(scanner), { mayBeEmpty: 'yes' }));
}

/** A list in parentheses, or flags up to the end (STORE allows both). @throws bad-input */
export function takeFlags(scanner: Scanner): FlagNames {
  if (scanner.peek() === '(') return takeFlagList(scanner);
  const flags = [takeFlag(scanner)];
  while (scanner.accept(' ')) flags.push(takeFlag(scanner));
  return sortFlags(flags);
}

/** One keyword. @throws bad-input */
export function takeKeyword(scanner: Scanner): string {
  const keyword = scanner.atom();
  if (keyword.length > longestKeyword) throw malformed('keyword too long');
  return keyword;
}

function takeFlag(scanner: Scanner): string {
  return scanner.accept('\\') ? `\\${scanner.atom()}` : takeKeyword(scanner);
}

/** \Recent is left out: old clients send back what they were shown, and nobody can set it. */
function sortFlags(flags: readonly string[]): FlagNames {
  const system = new Set<SystemFlag>();
  const keywords = new Map<string, string>();
  for (const flag of flags) {
    const lower = flag.toLowerCase();
    const known = systemFlags.find((name) => name.toLowerCase() === lower);
    if (known !== undefined) system.add(known);
    else if (!flag.startsWith('\\')) keywords.set(lower, flag);
    else if (lower !== '\\recent') throw malformed(`unknown system flag ${flag}`);
  }
  return { system: [...system], keywords: [...keywords.values()] };
}
