/** MAIL and RCPT commands with the parameters that the server announced it knows (RFC 5321 section 4.1.1.11). Pure. */
import { Failure } from '../base/failure.ts';
import { encodeXtext, formatAddress, needsSmtpUtf8, parseAddress } from './address.ts';

/** The reverse-path and what was said about the message in MAIL. */
export interface EnvelopeSender {
  /** Empty: the null reverse-path of a report. */
  readonly address: string;
  /** RFC 1870, octets, as the client declared it. */
  readonly size?: number | undefined;
  /** RFC 6152. */
  readonly body?: '7BIT' | '8BITMIME' | undefined;
  /** RFC 6531: the client asked for it. */
  readonly smtpUtf8?: boolean | undefined;
  /** RFC 3461. */
  readonly ret?: 'FULL' | 'HDRS' | undefined;
  readonly envid?: string | undefined;
  /** Our own parameters, `XWAYBILL-…`; sent only to a server that announced XWAYBILL. `true`: no value. */
  readonly extra?: ReadonlyMap<string, string | true> | undefined;
}

/** One forward-path. */
export interface EnvelopeRecipient {
  readonly address: string;
  /** RFC 3461, upper case. */
  readonly notify?: readonly string[] | undefined;
  /** RFC 3461: `rfc822;address`, decoded. */
  readonly orcpt?: string | undefined;
  /** The node that keeps the mailbox, as the sending node of ours knows; told only to a server that announced XWAYBILL. */
  readonly node?: string | undefined;
}

/** RCPT's parameter for `node`. */
export const nodeParameter = 'XWAYBILL-NODE';

/** MAIL's parameter for when a client's session was last seen to stand; sent only to a server that announced `XWAYBILL STANDING`, as older ones do not know it. */
export const standingParameter = 'XWAYBILL-STANDING';

/** @throws Failure `bad-input` for an address the server can't be told (not ASCII, and no SMTPUTF8). */
export function mailCommand(sender: EnvelopeSender, extensions: ReadonlyMap<string, string>): string {
  const path = wirePath(sender.address, extensions);
  const utf8 = sender.smtpUtf8 === true || needsSmtpUtf8(path);
  const parameters = [
    sender.size !== undefined && extensions.has('SIZE') ? `SIZE=${String(sender.size)}` : '',
    sender.body !== undefined && extensions.has('8BITMIME') ? `BODY=${sender.body}` : '',
    utf8 && extensions.has('SMTPUTF8') ? 'SMTPUTF8' : '',
    sender.ret !== undefined && extensions.has('DSN') ? `RET=${sender.ret}` : '',
    sender.envid !== undefined && extensions.has('DSN') ? `ENVID=${encodeXtext(sender.envid)}` : '',
    ...[...(sender.extra ?? [])].filter(([name]) => isKnown(name, extensions)).map(([name, value]) => (value === true ? name : `${name}=${encodeXtext(value)}`)),
  ];
  return [`MAIL FROM:<${path}>`, ...parameters.filter((parameter) => parameter !== '')].join(' ');
}

function isKnown(extra: string, extensions: ReadonlyMap<string, string>): boolean {
  const announced = extensions.get('XWAYBILL');
  return announced !== undefined && (extra !== standingParameter || announced.toUpperCase().split(' ').includes('STANDING'));
}

/** @throws Failure `bad-input` as mailCommand. */
export function rcptCommand(recipient: EnvelopeRecipient, extensions: ReadonlyMap<string, string>): string {
  const parameters: string[] = [];
  if (extensions.has('DSN')) {
    if (recipient.notify !== undefined) parameters.push(`NOTIFY=${recipient.notify.join(',')}`);
    if (recipient.orcpt !== undefined) parameters.push(`ORCPT=${encodeOrcpt(recipient.orcpt, extensions)}`);
  }
  if (recipient.node !== undefined && extensions.has('XWAYBILL')) parameters.push(`${nodeParameter}=${encodeXtext(recipient.node)}`);
  return [`RCPT TO:<${wirePath(recipient.address, extensions)}>`, ...parameters].join(' ');
}

function encodeOrcpt(orcpt: string, extensions: ReadonlyMap<string, string>): string {
  const semicolon = orcpt.indexOf(';');
  const address = encodeXtext(orcpt.slice(semicolon + 1));
  // RFC 6533 section 3: what is not ASCII has a form of its own for servers without SMTPUTF8.
  const plain = extensions.has('SMTPUTF8') ? address : address.replace(/[^ -~]/gu, (character) => `\\x{${(character.codePointAt(0) ?? 0).toString(16).toUpperCase()}}`);
  return `${orcpt.slice(0, semicolon + 1)}${plain}`;
}

/** The address in A-labels, which every server understands; the null path stays empty. */
function wirePath(address: string, extensions: ReadonlyMap<string, string>): string {
  if (address === '') return '';
  const parsed = parseAddress(address);
  if (parsed === undefined) throw new Failure('bad-input', 'malformed address');
  const path = formatAddress(parsed);
  if (needsSmtpUtf8(path) && !extensions.has('SMTPUTF8')) throw new Failure('bad-input', 'the server does not take internationalised addresses');
  return path;
}
