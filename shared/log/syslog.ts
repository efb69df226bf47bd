/** Syslog messages (RFC 5424) and their frames (RFC 6587 section 3.4.1, RFC 5425 section 4.3.1). Pure. */

const mailFacility = 2;
/** RFC 5426 section 3.2: every receiver takes 480 octets, 2048 should be taken; 8192 are, by rsyslog and syslog-ng. */
const longestDatagramBytes = 8192;
/** By pino's level; RFC 5424 section 6.2.1. */
const severities: readonly (readonly [number, number])[] = [[60, 2], [50, 3], [40, 4], [30, 6], [0, 7]];

export interface SyslogFacts {
  readonly level: number;
  readonly service: string;
  readonly node: string;
  readonly pid: number;
  readonly at: Date;
}

/** One message; `line` is its text, without newline. */
export function syslogMessage(line: string, { level, service, node, pid, at }: SyslogFacts): string {
  const severity = severities.find(([least]) => level >= least)?.[1] ?? 7;
  return `<${String(mailFacility * 8 + severity)}>1 ${at.toISOString()} ${node} waybill ${String(pid)} ${service} - ${line}`;
}

/** A frame for a stream: octet counting, so that nothing in a message can look like another one. */
export function counted(message: string): Buffer {
  const bytes = Buffer.from(message, 'utf8');
  return Buffer.concat([Buffer.from(`${String(bytes.length)} `, 'ascii'), bytes]);
}

/** A message that fits a datagram; a longer one is cut, between characters (RFC 5424 section 6.1). */
export function datagram(message: string): Buffer {
  const bytes = Buffer.from(message, 'utf8');
  if (bytes.length <= longestDatagramBytes) return bytes;
  let end = longestDatagramBytes;
  while (((bytes[end] ?? 0) & 0xc0) === 0x80) end -= 1;
  return bytes.subarray(0, end);
}
