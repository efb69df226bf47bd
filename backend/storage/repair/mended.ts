/** What a repair has done, as it goes along. */

export interface Mended {
  readonly text: string;
  readonly account?: string | undefined;
  readonly mailbox?: string | undefined;
  readonly uid?: number | undefined;
  readonly subject?: string | undefined;
  readonly messageId?: string | undefined;
}

/** Where a repair puts what it can't put where it was. */
export const lostAndFound = 'Lost and found';
