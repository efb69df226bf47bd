/** What a protocol trace tells of lines that may bear a secret, and the lines of SMTP. Pure. */

/** Mechanisms that exist (IANA's registry, and XOAUTH2): another word in their place might be a password. */
const mechanisms = /^(?:PLAIN|LOGIN|EXTERNAL|ANONYMOUS|CRAM-MD5|DIGEST-MD5|NTLM|GSSAPI|OAUTHBEARER|XOAUTH2|SCRAM-SHA-(?:1|256|512)(?:-PLUS)?)$/i;

/** `PLAIN ***` for the arguments of AUTH, AUTHENTICATE. */
export function maskedMechanism(given: string): string {
  const [name = '', ...rest] = given.trim().split(/\s+/);
  if (!mechanisms.test(name)) return '***';
  return rest.length === 0 ? name : `${name} ***`;
}

/** For a line that is no command known to be harmless. */
export function unknownLine(line: string): string {
  return `(a line of ${String(line.length)} characters)`;
}

/** A command of SMTP or LMTP. */
export function maskSmtp(line: string): string {
  const auth = /^\s*AUTH(?:\s+(.*))?$/i.exec(line);
  if (auth !== null) return auth[1] === undefined ? 'AUTH' : `AUTH ${maskedMechanism(auth[1])}`;
  return /^(?:EHLO|HELO|LHLO|MAIL|RCPT|DATA|BDAT|RSET|NOOP|QUIT|VRFY|EXPN|HELP|STARTTLS|XCLIENT)(?= |$)/i.test(line) ? line : unknownLine(line);
}
