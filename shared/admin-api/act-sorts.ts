/** What acts of administrators are to the owner of the account that they touch. Pure, and without imports: pages use it, too. */

const sorts = {
  addAccount: 'made', setPassword: 'password', signOutAccount: 'signed-out', kickSessions: 'signed-out', kickNodeSessions: 'signed-out',
  startMove: 'moved', reclaimAccount: 'moved', setAccountTerms: 'terms', setQuota: 'terms', deleteAccount: 'deleted', undeleteAccount: 'undeleted', renameAccount: 'renamed',
  traceProtocol: 'traced', traceProtocolAt: 'traced', restoreAccount: 'restored', addAlias: 'addresses', removeAlias: 'addresses',
  setFolderRights: 'rights', removeFolderRights: 'rights',
} as const;

/** What it is to the owner of the account. */
export type AccountActSort = (typeof sorts)[keyof typeof sorts];

export function sortOfAct(what: string): AccountActSort | undefined {
  return Object.hasOwn(sorts, what) ? sorts[what as keyof typeof sorts] : undefined;
}
