/**
 * The headers by which a front-end tells a back-end for whom a WebMail request is (it has checked the cookie), and by which
 * a back-end tells where an account lives. Believed only between nodes that showed their certificates.
 */

export const userHeader = 'x-waybill-user';
export const epochHeader = 'x-waybill-epoch';
export const clientHeader = 'x-waybill-client';
export const sessionHeader = 'x-waybill-session';
/** In an answer 421: the node that keeps the mailbox. */
export const nodeHeader = 'x-waybill-node';
/** All of them begin so; from anybody else they are thrown away. */
export const waybillHeaderPrefix = 'x-waybill-';

/**
 * The page sends it with every request. A page of another site can't, without a CORS permission that we never give: that
 * is what keeps forged requests out. `background`: nobody did anything, so the session doesn't get younger.
 */
export const activityHeader = 'waybill-request';
export type Activity = 'user' | 'background';
