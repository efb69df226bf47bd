/** Bounds of what is published and asked of nodes; without imports, for pages use them, too. */

/** Characters of a message, or of a publisher's name: Active Directory's bound for one of `keywords` (rangeUpper 256), with room for the name. */
export const longestFact = 240;

export const longestRestartWaitSeconds = 3600;
