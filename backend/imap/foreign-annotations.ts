/** What others have changed of the annotations of folders that are not the user's (RFC 5464, RFC 5465 section 5.6): those that are shared, and the user's own there. */
import type { Account } from '../storage/storage.ts';
import { AnnotationNews } from './annotation-news.ts';
import type { OwnAnnotations } from './annotation-news.ts';

/** One whose annotations are watched. */
export interface AnnotatedFolder {
  readonly account: Account;
  readonly state: { readonly id: number };
  /** By the name that the user knows. */
  readonly name: string;
}

export interface AnnotatedName {
  readonly mailbox: string;
  readonly entries: readonly string[];
}

export class ForeignAnnotations {
  readonly #visitor: string;
  /** By account; from the first look that found a folder to be watched there. */
  readonly #accounts = new Map<string, AnnotationNews>();

  constructor(visitor: string) {
    this.#visitor = visitor;
  }

  noteOwn(own: OwnAnnotations, account: Account): void {
    this.#accounts.get(account.id)?.noteOwn(own, account);
  }

  /** The account is not looked at any more. */
  forget(account: Account): void {
    this.#accounts.delete(account.id);
  }

  /** What the client knows of a folder's, of an account that was looked at. */
  knownOf({ account, state }: AnnotatedFolder): ReadonlyMap<string, string> {
    return this.#accounts.get(account.id)?.knownOf(state.id) ?? new Map();
  }

  /** What is new in these; nothing a second time. */
  take(folders: readonly AnnotatedFolder[]): readonly AnnotatedName[] {
    return [...Map.groupBy(folders, ({ account }) => account.id)].flatMap(([id, inAccount]) => {
      const [{ account } = {}] = inAccount;
      const known = this.#accounts.get(id);
      if (account === undefined) return [];
      if (known === undefined) {
        this.#accounts.set(id, new AnnotationNews(account, this.#visitor));
        return [];
      }
      const names = new Map(inAccount.map((folder) => [folder.state.id, folder.name]));
      return known.take(account).flatMap(({ place, entries }) => {
        const mailbox = place === 'account' ? undefined : names.get(place);
        return mailbox === undefined ? [] : [{ mailbox, entries }];
      });
    });
  }
}
