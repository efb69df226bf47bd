/** What the POP3 proxy announces before login (RFC 2449): what all back-ends can, and what it does itself. Pure. */

/** What a connection may do before login. */
export interface LoginCapabilities {
  readonly mechanisms: readonly string[];
  readonly startTls: 'yes' | 'no';
  readonly passwordCommands: 'yes' | 'no';
}

/**
 * Of back-ends' lines these are not passed on: what concerns the login, what would have to work before login as well (UTF8
 * and LANG, RFC 6856), and who they are.
 */
const notPassedOn = /^(?:SASL|STLS|USER|APOP|XCLIENT|XOIP|UTF8|LANG|IMPLEMENTATION|RESP-CODES|AUTH-RESP-CODE)(?: |$)/i;

/** The lines of the answer to CAPA. `common`: undefined while no back-end has answered. */
export function announcedCapabilities(common: readonly string[] | undefined, { mechanisms, startTls, passwordCommands }: LoginCapabilities): readonly string[] {
  // Text in brackets must be a code everywhere, for that to be promised.
  const codes = common === undefined || common.some((line) => line.toUpperCase() === 'RESP-CODES');
  return [
    ...(common ?? []).filter((line) => !notPassedOn.test(line)),
    ...(codes ? ['RESP-CODES'] : []),
    'AUTH-RESP-CODE', 'XCLIENT',
    ...(startTls === 'yes' ? ['STLS'] : []),
    ...(passwordCommands === 'yes' ? ['USER'] : []),
    ...(mechanisms.length > 0 ? [`SASL ${mechanisms.join(' ')}`] : []),
  ];
}
