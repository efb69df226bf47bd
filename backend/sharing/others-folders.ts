/** What other back-ends say is shared with a user: asked at once, remembered for seconds; a node that is away counts with its last word for a while. */
import { LRUCache } from 'lru-cache';
import { askNode } from '../../shared/admin/admin-client.ts';
import type { AdminTarget } from '../../shared/admin/admin-client.ts';
import { folderPageSchema, pagePath, sharedFoldersPrefix } from './shared-folders-route.ts';
import { mostPages } from './sharing.ts';
import type { PageMark, SharedFolder, SharedFolders } from './sharing.ts';

/** So long a folder that was just shared or taken back may still be missing from lists, or be in them; what may be done with it is asked anew each time. */
const freshMs = 5000;
const lastWordMs = 3_600_000;
/** How long a list waits for a node that does not answer. */
const patienceMs = 2000;
/** After a node was silent lists don't wait for it again so soon. */
const silenceMs = 5000;
/** Folders, and words without any, that are remembered together. */
const mostRemembered = 500_000;

interface Word {
  readonly atMs: number;
  readonly folders: readonly SharedFolder[];
  /** `some`: there are more than nodes tell. */
  readonly extent: 'all' | 'some';
}

export class OthersFolders {
  readonly #targets: readonly (readonly [node: string, target: AdminTarget])[];
  /** By node and user. */
  readonly #words = new LRUCache<string, Word>({ maxSize: mostRemembered, sizeCalculation: ({ folders }) => folders.length + 1, ttl: lastWordMs });
  readonly #asking = new Map<string, Promise<Word | undefined>>();
  readonly #silentUntilMs = new Map<string, number>();

  constructor(targets: Readonly<Record<string, AdminTarget>>) {
    this.#targets = Object.entries(targets);
  }

  /** Never rejects. */
  async sharedWith(visitor: string): Promise<SharedFolders> {
    const words = await Promise.all(this.#targets.map(async ([node, target]) => ({ node, word: await this.#word(node, target, visitor) })));
    return {
      folders: words.flatMap(({ word }) => word?.folders ?? []),
      silent: words.flatMap(({ node, word }) => (word?.extent === 'all' ? [] : [node])),
    };
  }

  async #word(node: string, target: AdminTarget, visitor: string): Promise<Word | undefined> {
    const key = `${node} ${visitor}`;
    const last = this.#words.get(key);
    const nowMs = performance.now();
    if ((last !== undefined && nowMs - last.atMs < freshMs) || nowMs < (this.#silentUntilMs.get(node) ?? 0)) return last;
    const asking = this.#asking.get(key) ?? this.#ask({ node, target, key, visitor });
    this.#asking.set(key, asking);
    return (await asking) ?? last;
  }

  async #ask({ node, target, key, visitor }: { readonly node: string; readonly target: AdminTarget; readonly key: string; readonly visitor: string }): Promise<Word | undefined> {
    try {
      const word = { atMs: performance.now(), ...(await allPages(target, visitor)) };
      this.#words.set(key, word);
      return word;
    } catch {
      this.#silentUntilMs.set(node, performance.now() + silenceMs);
      return undefined;
    } finally {
      this.#asking.delete(key);
    }
  }
}

/** As many as one node tells. @throws Failure('backend-unavailable') */
async function allPages(target: AdminTarget, visitor: string): Promise<Pick<Word, 'folders' | 'extent'>> {
  const folders: SharedFolder[] = [];
  let after: PageMark | undefined;
  for (let pages = 0; pages < mostPages; pages += 1) {
    const page = folderPageSchema.parse(await askNode(target, `${sharedFoldersPrefix}${pagePath(visitor, after)}`, patienceMs));
    folders.push(...page.folders);
    after = page.next;
    if (after === undefined) return { folders, extent: 'all' };
  }
  return { folders, extent: 'some' };
}
