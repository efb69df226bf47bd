/**
 * What is known of a message after one reading of its bytes: the tree of its parts with byte offsets, and the header
 * fields that IMAP's ENVELOPE, SORT and the WebMail's list need. Computed once, at delivery (`scanMessage`), kept beside
 * the index, never computed from the body again.
 */

/** One node of the MIME tree (RFC 2045, RFC 9051 section 7.5.2 BODYSTRUCTURE). All offsets count from the message's first byte. */
export interface Part {
  /** Lower-case, e.g. `text`. A part without a usable Content-Type is `text`/`plain` with charset us-ascii. */
  readonly type: string;
  readonly subtype: string;
  /** Content-Type parameters as given after RFC 2231 continuation is joined; names lower-case, values raw (may hold 8-bit bytes, kept as latin1). */
  readonly parameters: readonly (readonly [name: string, value: string])[];
  readonly id: string | undefined;
  readonly description: string | undefined;
  /** Content-Transfer-Encoding, lower-case; `7bit` when absent. */
  readonly encoding: string;
  readonly disposition: { readonly type: string; readonly parameters: readonly (readonly [string, string])[] } | undefined;
  readonly language: readonly string[];
  readonly location: string | undefined;
  readonly md5: string | undefined;
  /** First byte of the part's header; for the whole message 0. */
  readonly headerStart: number;
  /** First byte of the body: just after the empty line. The header section is [headerStart, bodyStart). */
  readonly bodyStart: number;
  /** One past the last byte of the body (before the CRLF that belongs to the next boundary). */
  readonly bodyEnd: number;
  /** Number of line ends in the body, as BODYSTRUCTURE wants for text and message/rfc822 parts. */
  readonly lines: number;
  /**
   * Children of a multipart, in order, at least one; for message/rfc822 and message/global exactly one: the root part of
   * the enclosed message. A multipart in which no part was found is given as text/plain, an enclosed message that can't
   * be looked into (it is encoded, or lies beyond the limits) as application/octet-stream, both without children.
   */
  readonly children: readonly Part[];
  /** The enclosed message's envelope; only for message/rfc822. */
  readonly envelope: Envelope | undefined;
}

/** One address of an ENVELOPE (RFC 9051 section 7.5.2); a group starts with {mailbox: name, host: undefined} and ends with both undefined. */
export interface EnvelopeAddress {
  readonly name: string | undefined;
  readonly route: string | undefined;
  readonly mailbox: string | undefined;
  readonly host: string | undefined;
}

/** The ENVELOPE fields, raw as they stand in the header (unfolded, latin1, RFC 2047 words not decoded). */
export interface Envelope {
  readonly date: string | undefined;
  readonly subject: string | undefined;
  readonly from: readonly EnvelopeAddress[];
  readonly sender: readonly EnvelopeAddress[];
  readonly replyTo: readonly EnvelopeAddress[];
  readonly to: readonly EnvelopeAddress[];
  readonly cc: readonly EnvelopeAddress[];
  readonly bcc: readonly EnvelopeAddress[];
  readonly inReplyTo: string | undefined;
  readonly messageId: string | undefined;
}

/** What the header of the message says, and what lists show of it. */
export interface MessageHead {
  readonly envelope: Envelope;
  /** The Date field as milliseconds since 1970, undefined when it can't be understood (SORT DATE, RFC 5256 section 2.2). */
  readonly sentAtMs: number | undefined;
  /** Message-IDs of References and then those of In-Reply-To that are not among them, for threads. */
  readonly references: readonly string[];
  /** How many of `references` stand in the References field; all of them in what was stored before this was noted. */
  readonly fromReferences: number;
  /** The first about 200 characters of readable text, for lists (PREVIEW, RFC 8970), decoded to Unicode. */
  readonly preview: string;
  /** True when a part is an attachment: disposition attachment, or a named non-text part. */
  readonly hasAttachment: boolean;
}

/** Everything `scanMessage` finds. */
export interface MessageStructure extends MessageHead {
  readonly root: Part;
}
