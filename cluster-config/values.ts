/** The kinds of value that parameters are made of: durations, sizes, domains, addresses, files, secrets. */
import { isIPv4, isIPv6 } from 'node:net';
import { z } from 'zod';
import { parseNetwork } from '../shared/access/network.ts';
import { isFailure } from '../shared/base/failure.ts';

/** The name of a user map or an LDAP connector. */
export const objectName = z.string().regex(/^[A-Za-z0-9_.-]{1,64}$/, 'must be a name of letters, digits, "_", "-" and "." only');

/** What an address means that no map knows. */
export const onMiss = z.enum(['refuse', 'default']);

/** Marks schemas whose values are file names: they are taken relative to the configuration file. */
export const fileNames = z.registry<{ readonly fileName: true }>();

/** Marks parameters that a running node can't change; the text says why. All others are put to use at once. */
export const restartOnly = z.registry<{ readonly why: string }>();

/** Marks the parameter. (The mark must come last: zod copies lose it.) */
export function needsRestart<Schema extends z.ZodType>(schema: Schema, why: string): Schema {
  restartOnly.add(schema, { why });
  return schema;
}

/** A whole number of seconds, milliseconds, kilobytes, messages …: the parameter's name says of what. */
export function wholeNumber(bounds: { readonly min: number; readonly max: number }): z.ZodNumber {
  return z.number().int().min(bounds.min).max(bounds.max);
}

export const port = wholeNumber({ min: 1, max: 65535 });

/** A file or folder; relative names count from the folder of the configuration file. (The mark must come last: zod copies lose it.) */
export function fileName(meaning = ''): z.ZodString {
  return z.string().min(1).describe(meaning).register(fileNames, { fileName: true });
}

/** A domain name in its ASCII form, kept in lower case (RFC 1035 section 2.3.1, with digits first as in RFC 1123). */
export const domainName = z
  .string()
  .regex(/^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?(\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)*$/i, 'is not a domain name')
  .max(253)
  .toLowerCase();

/** A host name, or a wildcard for one label at its front, as in certificates. */
export const virtualHostName = z.string().refine((text) => domainName.safeParse(text.replace(/^\*\.(?=.*\.)/, '')).success, 'is neither a host name nor a wildcard such as *.example.com').toLowerCase();

/** A host: its name or its IP address. */
export const host = z.string().refine((text) => isIPv4(text) || isIPv6(text) || domainName.safeParse(text).success, 'is neither a host name nor an IP address');

/** A time zone by its IANA name. */
export const timeZone = z.string().refine(isTimeZone, 'is no time zone, such as UTC or Europe/Vienna');

function isTimeZone(name: string): boolean {
  try {
    return /^[A-Za-z]/.test(name) && new Intl.DateTimeFormat('en', { timeZone: name }).resolvedOptions().timeZone !== '';
  } catch {
    return false; // a RangeError: not known
  }
}

/** `host:port`, with an IPv6 address in brackets. */
export const hostAndPort = z.string().refine((text) => splitHostAndPort(text) !== undefined, 'must be HOST:PORT, for example 127.0.0.1:143 or [::1]:143');

/** A network of IP addresses, or one address. */
export const network = z.string().refine(isNetwork, 'must be a network such as 192.0.2.0/24 or 2001:db8::/32, or an IP address');

function isNetwork(text: string): boolean {
  try {
    parseNetwork(text);
    return true;
  } catch (error) {
    if (isFailure(error, 'bad-input')) return false;
    throw error;
  }
}

/** Where a listener listens: an IP address of this machine and a port, a Unix socket, or a socket of systemd's. */
export const listenAddress = z.string().refine((text) => isSocketAddress(text) || isUnixSocket(text) || isSystemdSocket(text), 'must be IP:PORT, for example 127.0.0.1:143, 0.0.0.0:143 or [::]:143, or unix:/FILE, or systemd:NAME');

function isSocketAddress(text: string): boolean {
  const parts = splitHostAndPort(text);
  return parts !== undefined && (isIPv4(parts.host) || isIPv6(parts.host));
}

/** The kernel takes 107 bytes (unix(7)). */
function isUnixSocket(text: string): boolean {
  return /^unix:\/[^\0]+$/.test(text) && Buffer.byteLength(text) - 'unix:'.length <= 107;
}

/** systemd.socket(5), FileDescriptorName=. */
function isSystemdSocket(text: string): boolean {
  return /^systemd:[!-9;-~]{1,255}$/.test(text);
}

/** Takes `host:port` or `[v6]:port` apart; undefined for anything else. */
export function splitHostAndPort(text: string): { readonly host: string; readonly port: number } | undefined {
  const match = /^(?:\[([0-9a-f:.]+)\]|([^:[\]\s]+)):(\d{1,5})$/i.exec(text);
  const name = match?.[1] ?? match?.[2];
  if (match === null || name === undefined) return undefined;
  const number = Number(match[3]);
  if (number < 1 || number > 65535) return undefined;
  if (match[1] !== undefined ? !isIPv6(name) : !host.safeParse(name).success) return undefined;
  return { host: name, port: number };
}

/** Where a secret is to be read; the secret itself never stands in the document. */
export const secret = z.union(
  [
    z.strictObject({ file: fileName('A file whose first line is the secret.') }),
    z.strictObject({ env: z.string().min(1).describe('The environment variable that holds the secret.') }),
  ],
  { error: 'a secret is given as {file: NAME} or {env: NAME}, never as itself' },
);

export type SecretReference = z.output<typeof secret>;
