/** What a repair has done, as it goes along. */
import type { Finding } from '../check/findings.ts';

/** Named as findings name what is wrong. */
export type Mended = Pick<Finding, 'text' | 'account' | 'mailbox' | 'uid' | 'subject' | 'messageId'>;

/** Where a repair puts what it can't put where it was. */
export const lostAndFound = 'Lost and found';
