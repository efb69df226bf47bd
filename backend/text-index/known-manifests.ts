/** Manifests that a process has read, for as long as their files are the same: they are replaced by renaming, so each is a file of its own. */
import { statSync } from 'node:fs';
import { join } from 'node:path';
import { boundedCache } from '../../shared/base/bounded-cache.ts';
import { manifestName, readManifest } from './index-folder.ts';
import type { Manifest } from './index-folder.ts';

interface Known {
  readonly identity: string;
  readonly manifest: Manifest | undefined;
}

const mostKnown = 1000;

export class KnownManifests {
  readonly #known = boundedCache<Known>(mostKnown);

  /** As `readManifest`. */
  async read(folder: string): Promise<Manifest | undefined> {
    const identity = identityOf(folder); // first: of what replaces it meanwhile another one is found next time
    if (identity === undefined) return undefined;
    const known = this.#known.get(folder);
    if (known?.identity === identity) return known.manifest;
    const manifest = await readManifest(folder);
    this.#known.set(folder, { identity, manifest });
    return manifest;
  }

  forget(folder: string): void {
    this.#known.delete(folder);
  }
}

/** Undefined when there is none. At once: its folder was used just before, and another thread would cost more. */
function identityOf(folder: string): string | undefined {
  const stat = statSync(join(folder, manifestName), { bigint: true, throwIfNoEntry: false });
  return stat === undefined ? undefined : [stat.ino, stat.mtimeNs, stat.ctimeNs, stat.size].join();
}
