/** The grammar of SMTP and LMTP replies (RFC 5321 section 4.2, RFC 2034): lines to values and back. Pure. */

/** One reply, of one or more lines. */
export interface Reply {
  /** 200 to 599. */
  readonly code: number;
  /** Enhanced status code such as `4.4.1` (RFC 3463), when the server gave one. */
  readonly enhanced: string | undefined;
  /** The text of each line, without codes. Never empty. */
  readonly lines: readonly string[];
}

/** One line of a reply: `last` is false while the server goes on (`250-`). */
export interface ReplyLine {
  readonly code: number;
  readonly last: boolean;
  readonly text: string;
}

const replyLinePattern = /^([2-5]\d\d)(?:([ -])(.*))?$/su;
const enhancedPattern = /^([245]\.\d{1,3}\.\d{1,3})(?: |$)/u;

/** Makes a reply of ours. `enhanced` undefined only for greetings, EHLO answers and 3xx (RFC 2034 section 4). */
export function makeReply(code: number, enhanced: string | undefined, text: string): Reply {
  return { code, enhanced, lines: [text] };
}

/** Reads one line, without its CRLF; undefined when it is not a reply line. `250` alone is tolerated (RFC 5321 section 4.2.1). */
export function parseReplyLine(line: string): ReplyLine | undefined {
  const match = replyLinePattern.exec(line);
  if (match === null) return undefined;
  return { code: Number(match[1]), last: match[2] !== '-', text: match[3] ?? '' };
}

/** Puts the lines of one reply together; undefined when their codes differ. The enhanced code is taken off every line. */
export function assembleReply(lines: readonly ReplyLine[]): Reply | undefined {
  const first = lines[0];
  if (first === undefined || lines.some((line) => line.code !== first.code)) return undefined;
  const enhanced = enhancedPattern.exec(first.text)?.[1];
  const texts = lines.map((line) => (enhanced === undefined ? line.text : line.text.replace(enhancedPattern, '')));
  return { code: first.code, enhanced, lines: texts };
}

/** The reply's words on one line, the enhanced code in front: for logs, for reports, and to pass a reply on. */
export function replyWords(reply: Reply): string {
  const text = reply.lines.join(' ');
  return reply.enhanced === undefined ? text : `${reply.enhanced} ${text}`;
}

/** The whole reply on one line. */
export function replyLine(reply: Reply): string {
  return `${String(reply.code)} ${replyWords(reply)}`;
}

export function isPositive(reply: Reply): boolean {
  return reply.code >= 200 && reply.code < 300;
}

/** A 4xx: the same may be accepted later. */
export function isTemporary(reply: Reply): boolean {
  return reply.code >= 400 && reply.code < 500;
}
