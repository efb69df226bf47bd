/** What the POP3 proxy announces before login (RFC 2449): what all back-ends can, and what it does itself. Pure. */
import type { CapabilityMerge } from '../login/backend-capabilities.ts';

/** What a connection may do before login. */
export interface LoginCapabilities {
  readonly mechanisms: readonly string[];
  readonly startTls: 'yes' | 'no';
  readonly passwordCommands: 'yes' | 'no';
}

/** Of back-ends' lines these are not passed on: what concerns the login, and who they are. */
const notPassedOn = /^(?:SASL|STLS|USER|APOP|XCLIENT|XOIP|UTF8|LANG|IMPLEMENTATION|RESP-CODES|AUTH-RESP-CODE)(?: |$)/i;

/**
 * Users are at different back-ends, so the strictest value is announced, with USER where back-ends differ: a client may ask again
 * after login (RFC 2449 sections 6.5 and 6.7).
 */
export const pop3Merges: readonly CapabilityMerge[] = [
  // Who tells nothing of EXPIRE promises nothing.
  { prefix: 'EXPIRE ', merge: (values) => strictest(values.map((value) => (value?.toUpperCase() === 'NEVER' ? 'Infinity' : value)), Math.min) },
  { prefix: 'LOGIN-DELAY ', merge: (values) => noneForZero(strictest(values.map((value) => value ?? '0'), Math.max)) },
];

function noneForZero(value: string | undefined): string | undefined {
  return value === '0' ? undefined : value;
}

function strictest(values: readonly (string | undefined)[], choose: (...numbers: number[]) => number): string | undefined {
  const read = values.map((value) => /^(\d{1,9}|Infinity)(?: USER)?$/i.exec(value ?? ''));
  const numbers = read.map((found) => Number(found?.[1]));
  if (numbers.length === 0 || numbers.some(Number.isNaN)) return undefined;
  const differ = new Set(numbers).size > 1 || values.some((value) => / USER$/i.test(value ?? ''));
  const chosen = choose(...numbers);
  return `${chosen === Infinity ? 'NEVER' : String(chosen)}${differ ? ' USER' : ''}`;
}

/** What the proxy speaks itself before login, and tells the back-end when it logs in: only where all of them go on with it. */
export function speaks(command: 'UTF8' | 'LANG', common: readonly string[] | undefined): boolean {
  return (common ?? []).some((line) => line.split(' ', 1)[0]?.toUpperCase() === command);
}

/** The lines of the answer to CAPA. `common`: undefined while no back-end has answered. */
export function announcedCapabilities(common: readonly string[] | undefined, { mechanisms, startTls, passwordCommands }: LoginCapabilities): readonly string[] {
  // Text in brackets must be a code everywhere, for that to be promised.
  const codes = common === undefined || common.some((line) => line.toUpperCase() === 'RESP-CODES');
  return [
    ...(common ?? []).filter((line) => !notPassedOn.test(line)),
    ...(codes ? ['RESP-CODES'] : []),
    'AUTH-RESP-CODE', 'XCLIENT',
    // Names and passwords are this proxy's to read, whatever the back-end makes of them.
    ...(speaks('UTF8', common) ? ['UTF8 USER'] : []),
    ...(speaks('LANG', common) ? ['LANG'] : []),
    ...(startTls === 'yes' ? ['STLS'] : []),
    ...(passwordCommands === 'yes' ? ['USER'] : []),
    ...(mechanisms.length > 0 ? [`SASL ${mechanisms.join(' ')}`] : []),
  ];
}
