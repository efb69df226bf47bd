/** The grammar of POP3 command lines (RFC 1939 section 3, RFC 2449 section 3). Pure; used by whoever plays the server. */
import { Failure } from '../base/failure.ts';
import { sessionIdPattern } from '../base/session-id.ts';
import { Refusal } from './texts.ts';

/** A command as it was written. */
export interface CommandLine {
  /** In capitals. */
  readonly verb: string;
  /** All that stands behind the first space, latin1: a password may hold spaces. */
  readonly argument: string;
}

/** Who a front-end says its client is (`XCLIENT ADDR=… PORT=… SESSION=…`, in any order). */
export interface ForwardedClient {
  readonly address: string;
  readonly port: number;
  readonly session: string;
  /** The terms of the leg (shared/legs), where the front-end wants to keep it. */
  readonly legTerms?: string | undefined;
}

/** FORWARD is for what proxies tell each other beyond XCLIENT's own words, base64 (Dovecot's way); who does not know it passes over it. */
const legForward = 'waybill-leg-terms=';

export function formatLegField(terms: string): string {
  return Buffer.from(`${legForward}${terms}`, 'latin1').toString('base64');
}

function readLegField(forward: string | undefined): string | undefined {
  const text = forward === undefined ? '' : Buffer.from(forward, 'base64').toString('latin1');
  return text.startsWith(legForward) ? text.slice(legForward.length) : undefined;
}

/** Splits a line (latin1, without CRLF). @throws Failure `bad-input` when it begins with no word, or holds NUL or a bare CR. */
export function parseCommandLine(line: string): CommandLine {
  const match = /^([A-Za-z0-9]{1,16})(?: (.*))?$/s.exec(line);
  if (match === null || /[\0\r]/.test(line)) throw new Failure('bad-input', 'that is no command');
  return { verb: (match[1] ?? '').toUpperCase(), argument: match[2] ?? '' };
}

/** Reads exactly `count` decimal numbers parted by spaces. @throws Refusal `bad-input` with the words of `refusal` */
export function parseNumbers(argument: string, count: number, refusal: string): number[] {
  const words = argument.trim().split(/ +/);
  if (words.length !== count || !words.every((word) => /^\d{1,10}$/.test(word))) {
    throw new Refusal('bad-input', refusal);
  }
  return words.map(Number);
}

/** Reads XCLIENT's argument; what it leaves out is taken from `known`, what other proxies tell beside these (TTL, FORWARD …) is passed over. @throws Failure `bad-input`. */
export function parseForwardedClient(argument: string, known: ForwardedClient): ForwardedClient {
  const given = new Map(argument.trim().split(/ +/).map((word) => {
    const equals = word.indexOf('=');
    return [word.slice(0, equals).toUpperCase(), word.slice(equals + 1)] as const;
  }));
  const address = given.get('ADDR')?.replace(/^IPV6:/i, '') ?? known.address;
  const port = given.get('PORT') ?? String(known.port);
  const session = given.get('SESSION') ?? known.session;
  const unknown = [...given.keys()].some((name) => !['ADDR', 'PORT', 'SESSION', 'TTL', 'FORWARD', 'HELO', 'PROTO', 'DESTADDR', 'DESTPORT'].includes(name));
  if (unknown || !/^[0-9a-fA-F.:]{2,45}$/.test(address) || !/^\d{1,5}$/.test(port) || !sessionIdPattern.test(session)) {
    throw new Failure('bad-input', 'the form is: XCLIENT ADDR=address PORT=port SESSION=id');
  }
  const legTerms = readLegField(given.get('FORWARD'));
  return { address, port: Number(port), session, ...(legTerms === undefined ? {} : { legTerms }) };
}
