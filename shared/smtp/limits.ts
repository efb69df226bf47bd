/** How much one client of an SMTP or LMTP listener may send, of anything. */

/** Bounds of what one client may send. */
export interface SmtpLimits {
  readonly maxMessageBytes: number;
  readonly maxRecipients: number;
  /** One command, CRLF included. RFC 5321 asks for 512; RFC 4954 section 4 for 12288 where AUTH is spoken. */
  readonly maxCommandBytes: number;
  /** One line of a message, CRLF included. RFC 5321 says 1000; generators of HTML exceed it daily, so far more is taken. */
  readonly maxTextLineBytes: number;
  /** Refused (5xx) commands in one connection before it is closed. */
  readonly maxErrors: number;
  /** Wrong passwords in one connection before it is closed. */
  readonly maxAuthErrors: number;
  /** Silence of the client, RFC 5321 section 4.5.3.2.7 asks for 5 minutes. */
  readonly idleTimeoutMs: number;
  /** From DATA to the final dot, also of a message that is refused before. */
  readonly maxDataMs: number;
}

export const defaultSmtpLimits: SmtpLimits = {
  maxMessageBytes: 50 * 1024 * 1024, maxRecipients: 1000, maxCommandBytes: 12_288, maxTextLineBytes: 65_536, maxErrors: 50, maxAuthErrors: 5,
  idleTimeoutMs: 300_000, maxDataMs: 3_600_000,
};
