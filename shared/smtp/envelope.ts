/** From smtp-server's parsed MAIL and RCPT to our envelope, refusing parameters nobody here understands (RFC 5321 section 4.1.1.11). */
import type { SMTPServerAddress } from 'smtp-server';
import { nodeParameter } from './commands.ts';
import type { EnvelopeRecipient, EnvelopeSender } from './commands.ts';
import { makeReply } from './reply.ts';
import { SmtpRefused } from './refusal.ts';

/** AUTH= (RFC 4954 section 5) is understood and not used: we don't trust what strangers say of the submitter. */
const mailParameters = new Set(['SIZE', 'BODY', 'SMTPUTF8', 'RET', 'ENVID', 'AUTH']);
const rcptParameters = new Set(['NOTIFY', 'ORCPT']);

/** @param extraParameters further keywords, which go to `extra`. Throws SmtpRefused (555) for any other. */
export function readSender(parsed: SMTPServerAddress, extraParameters: readonly string[]): EnvelopeSender {
  const given = parametersOf(parsed);
  const extra = new Map([...given].filter(([name]) => extraParameters.includes(name)));
  refuseUnknown('mail', [...given.keys()].filter((name) => !extra.has(name) && !mailParameters.has(name)));
  const ret = text(given.get('RET'))?.toUpperCase();
  const size = text(given.get('SIZE'));
  return {
    address: parsed.address,
    size: size === undefined ? undefined : Number(size),
    body: text(given.get('BODY'))?.toUpperCase() === '8BITMIME' ? '8BITMIME' : undefined,
    smtpUtf8: given.has('SMTPUTF8'),
    ret: ret === 'FULL' || ret === 'HDRS' ? ret : undefined,
    envid: text(given.get('ENVID')),
    extra,
  };
}

/** @param extraParameters those of MAIL and RCPT that are known beside the standards'. Throws SmtpRefused (555) for any other. */
export function readRecipient(parsed: SMTPServerAddress, extraParameters: readonly string[]): EnvelopeRecipient {
  const given = parametersOf(parsed);
  refuseUnknown('rcpt', [...given.keys()].filter((name) => !rcptParameters.has(name) && !(name === nodeParameter && extraParameters.includes(name))));
  const node = text(given.get(nodeParameter));
  return { address: parsed.address, notify: parsed.dsn?.notify, orcpt: parsed.dsn?.orcpt, ...(node === undefined ? {} : { node }) };
}

function parametersOf(parsed: SMTPServerAddress): ReadonlyMap<string, string | true> {
  return new Map(Object.entries(parsed.args === false ? {} : parsed.args));
}

function refuseUnknown(stage: string, unknown: readonly string[]): void {
  const [first] = unknown;
  if (first !== undefined) throw new SmtpRefused(stage, makeReply(555, '5.5.4', `parameter ${first} is not known here`));
}

function text(value: string | true | undefined): string | undefined {
  return value === true ? undefined : value;
}
