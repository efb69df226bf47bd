/** The file in a folder by which somebody has said that what was there is gone for good (`waybill storage lost`). */
export const lostMark = 'declared-lost';
