/** Files in the folder of a storage by which somebody has said what is meant. One that is older than the last opening of the storage says nothing any more. */

/** That what was there is gone for good (`waybill storage lost`); also in the folder of the queue. */
export const lostMark = 'declared-lost';

/** That the storage which is there is meant to be, though it is another one, or an older copy (`waybill storage accept`). */
export const acceptedMark = 'declared-accepted';
