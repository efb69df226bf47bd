/** IMAP texts that go from one server to another as they are: commands with their literals, and how a command ended. Pure. */

/** As who reads commands sees it, with any number of digits: a literal that only one of the two servers took for one would be commands to the other. */
const announcement = /(~?)\{(\d+)\+?\}\r\n/g;

/** A command as it was read, for a server that takes literals without being asked (LITERAL+, RFC 7888). */
export function withoutWaiting(text: string): string {
  let relayed = '';
  let at = 0;
  for (;;) {
    announcement.lastIndex = at;
    const match = announcement.exec(text);
    if (match === null) return relayed + text.slice(at);
    const end = announcement.lastIndex + Number(match[2]);
    relayed += `${text.slice(at, match.index)}${match[1] ?? ''}{${match[2] ?? ''}+}\r\n${text.slice(announcement.lastIndex, end)}`;
    at = end;
  }
}

/** What a session that knows of mod-sequences from now on says of the open mailbox (RFC 7162 section 3.1). */
export function modseqsFromNowOn(modseq: number): string {
  return `* OK [HIGHESTMODSEQ ${String(modseq)}] mod-sequences are told from now on`;
}

/** Whether another server takes its session for one that knows of mod-sequences since it said this. @param command of the client's, the last one: what NOTIFY tells was not asked for (RFC 7162 section 3.1) */
export function tellsOfModseqs(line: string, command: string): boolean {
  if (/^\* OK \[HIGHESTMODSEQ \d+\] mod-sequences are told from now on$/.test(line)) return true;
  return /^\S+ (?:STATUS|LIST) .*HIGHESTMODSEQ/is.test(command) && /^\* STATUS .* \((?:.* )?HIGHESTMODSEQ \d+[^"]*\)$/.test(line);
}

/** How a server said that a command ended. */
export interface RelayedEnd {
  readonly status: 'OK' | 'NO' | 'BAD';
  readonly code: string | undefined;
  readonly text: string;
}

/** What stands behind the tag; undefined for anything else. */
export function parseEnd(text: string): RelayedEnd | undefined {
  const [, status = '', code, words = ''] = /^(OK|NO|BAD) (?:\[([^\]]*)\] ?)?(.*)$/is.exec(text) ?? [];
  const upper = status.toUpperCase();
  return upper === 'OK' || upper === 'NO' || upper === 'BAD' ? { status: upper, code, text: words } : undefined;
}

/** The numbers of a set such as `3:5,9`, in the order in which they stand there; at most `most`, undefined for more or for nonsense. */
export function numbersOf(set: string, most: number): readonly number[] | undefined {
  const numbers: number[] = [];
  for (const part of set.split(',')) {
    const [, from, to = from] = /^(\d{1,10})(?::(\d{1,10}))?$/.exec(part) ?? [];
    if (from === undefined) return undefined;
    for (let number = Number(from); number <= Number(to); number += 1) {
      if (numbers.length >= most) return undefined;
      numbers.push(number);
    }
  }
  return numbers;
}
