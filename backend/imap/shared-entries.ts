/** The folders of others that LIST and LSUB show. */
import { isFailure } from '../../shared/base/failure.ts';
import { compilePattern } from '../../shared/imap/list-pattern.ts';
import type { Rights } from '../../shared/imap/rights.ts';
import type { SharedFolder } from '../sharing/sharing.ts';
import type { MailboxState } from '../storage/storage.ts';
import { nameOfShared, placeOf } from './place.ts';
import { formatCompletion } from './replies.ts';
import type { Session } from './session.ts';

/** A mailbox that is there. */
export interface KnownEntry {
  /** As the user calls it. */
  readonly name: string;
  /** Undefined where another node keeps it. */
  readonly state: MailboxState | undefined;
  readonly rights: Rights;
}

/** `some`: what is missing may be there all the same. */
export interface SharedEntries {
  readonly entries: readonly KnownEntry[];
  readonly extent: 'all' | 'some';
}

/** Those that the patterns may mean. What nodes that are away keep is left out, as far as it was not told lately, and the client is warned. */
export async function sharedEntries(session: Session, patterns: readonly string[]): Promise<SharedEntries> {
  const { otherUsers, publicFolders } = session.options.sharing.namespaces;
  if (!patterns.some((pattern) => mayMean(pattern, otherUsers) || mayMean(pattern, publicFolders))) return { entries: [], extent: 'all' };
  const matches = patterns.map(compilePattern);
  const entries: KnownEntry[] = [];
  const { folders, extent } = await sharedFolders(session);
  for (const folder of folders) {
    const name = nameOfShared(session, folder);
    if (name === undefined) continue;
    const isMeant = matches.some((each) => each(name));
    entries.push({ name, state: isMeant ? await stateOf(session, name) : undefined, rights: folder.rights });
  }
  return { entries, extent };
}

async function sharedFolders(session: Session): Promise<{ readonly folders: readonly SharedFolder[]; readonly extent: 'all' | 'some' }> {
  const warn = (): void => session.output.line(formatCompletion('*', { status: 'NO', code: 'UNAVAILABLE', text: 'folders that others share may be missing: a server does not answer, or not with all of them' }));
  try {
    const { folders, silent } = await session.options.sharing.sharedWith(session.visitor);
    if (silent.length > 0) warn();
    return { folders, extent: silent.length > 0 ? 'some' : 'all' };
  } catch (error) {
    if (!isFailure(error)) throw error;
    session.log.warn({ err: error }, 'could not look for folders that others share');
    warn();
    return { folders: [], extent: 'some' };
  }
}

/** Whether a pattern can match names below that level. */
function mayMean(pattern: string, level: string): boolean {
  const [fixed = ''] = pattern.split(/[%*]/, 1);
  return `${level}/`.startsWith(fixed) || fixed.startsWith(`${level}/`);
}

/** Without its special use, which is the owner's: nobody's client must file its own mail there. */
async function stateOf(session: Session, name: string): Promise<MailboxState | undefined> {
  const place = await placeOf(session, name).catch(() => undefined);
  const state = place?.at === 'here' ? place.account.mailbox(place.name)?.state() : undefined;
  return state === undefined ? undefined : { ...state, specialUses: [] };
}
