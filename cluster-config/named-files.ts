/**
 * The certificates, keys, authorities and revocation lists that a configuration names, looked at again and again. What clients
 * are shown, and whose certificates log users in, is put to use in the workers as they are; the rest, which changes once in
 * years, by a new generation of them. Files that don't pass the checks are reported, and what is in use stays.
 */
import { createHash } from 'node:crypto';
import { stat } from 'node:fs/promises';
import { isFailure } from '../shared/base/failure.ts';
import type { Logger } from '../shared/log/log.ts';
import type { NodeConfig } from './effective.ts';
import { heldFiles, readNamedFile } from './held-files.ts';
import { loadNodeTls } from './node-tls.ts';

/** Looked at so often: a change is in use not much later. Cheap, since a file is read only when its status has changed. */
const lookEveryMs = 10_000;
/** Certificate and key are written one after the other: what does not fit together is looked at once more before it is reported. */
const settleMs = 1000;

export interface NamedFilesOptions {
  readonly log: Logger;
  /** What clients are shown has changed. */
  readonly onShown: () => void;
  /** Something else has changed; a rejection means that the old stays in use. */
  readonly onOthers: () => Promise<void>;
}

export interface NamedFilesWatch {
  /** What the present generation was started with. */
  follow(config: NodeConfig): Promise<void>;
  /** Looks now (for SIGHUP). Resolves when what has changed is in use or refused; never rejects. */
  lookNow(): Promise<void>;
  close(): void;
}

interface Names {
  /** To clients, with whose certificates count. */
  readonly shown: readonly string[];
  readonly others: readonly string[];
}

/** What a look has seen: digests of the contents, `missing` for what can't be read. */
type Seen = ReadonlyMap<string, string>;

/** The files that nodes read once and use for long. */
export function namedFiles({ caBundle, tls, ldapConnectors, foreignBackends }: NodeConfig): Names {
  const { certificate, key, virtualHosts, userCertificates, ca, clusterAuthority, nodeCertificate, nodeKey } = tls;
  const isFile = (file: string | undefined): file is string => file !== undefined;
  return {
    shown: [certificate, key, ...virtualHosts.flatMap((host) => [host.certificate, host.key]), userCertificates?.authority, userCertificates?.revocationList].filter(isFile),
    others: [ca, caBundle, clusterAuthority, nodeCertificate, nodeKey, foreignBackends.ca, ...ldapConnectors.map((connector) => connector.ca)].filter(isFile),
  };
}

/** Begins to look. */
export function watchNamedFiles(options: NamedFilesOptions): NamedFilesWatch {
  const watch = new Watch(options);
  const timer = setInterval(() => void watch.lookNow(), lookEveryMs).unref();
  return {
    follow: async (config) => watch.follow(config),
    lookNow: async () => watch.lookNow(),
    close: () => clearInterval(timer),
  };
}

class Watch {
  readonly #options: NamedFilesOptions;
  readonly #reader = new DigestReader();
  #config: NodeConfig | undefined;
  #inUse: Seen = new Map();
  /** Told of already. */
  #refused: Seen = new Map();
  #turn: Promise<void> = Promise.resolve();

  constructor(options: NamedFilesOptions) {
    this.#options = options;
  }

  async follow(config: NodeConfig): Promise<void> {
    this.#inUse = await this.#reader.read(allOf(config));
    this.#refused = new Map();
    this.#config = config;
  }

  async lookNow(): Promise<void> {
    this.#turn = this.#turn.then(async () => this.#look()).catch((error: unknown) => this.#options.log.error({ err: error }, 'could not look at the files that the configuration names'));
    await this.#turn;
  }

  async #look(): Promise<void> {
    const config = this.#config;
    if (config === undefined) return;
    const seen = await this.#reader.read(allOf(config));
    if (isSame(seen, this.#inUse) || isSame(seen, this.#refused)) return;
    const checked = await check(config);
    if (config !== this.#config) return; // another generation has read them itself
    if (checked.kind === 'bad') return this.#refuse(config, seen, checked.complaint);
    for (const warning of checked.warnings) this.#options.log.warn(warning);
    await this.#apply(config, seen);
  }

  async #apply(config: NodeConfig, seen: Seen): Promise<void> {
    const { log, onShown, onOthers } = this.#options;
    const changed = [...seen].filter(([file, digest]) => this.#inUse.get(file) !== digest).map(([file]) => file);
    const { others } = namedFiles(config);
    try {
      if (changed.some((file) => others.includes(file))) await onOthers();
      else onShown();
    } catch (error) {
      this.#refused = seen;
      log.error({ err: error, files: changed }, 'changed files not put to use; those before stay in use');
      return;
    }
    this.#inUse = seen;
    log.info({ files: changed }, 'changed files are put to use');
  }

  async #refuse(config: NodeConfig, seen: Seen, complaint: string): Promise<void> {
    await new Promise((resolve) => setTimeout(resolve, settleMs));
    const later = await this.#reader.read(allOf(config));
    if (!isSame(later, seen)) return this.#look();
    this.#refused = seen;
    this.#options.log.error({ reason: complaint }, 'certificate files refused; those before stay in use');
  }
}

function allOf(config: NodeConfig): readonly string[] {
  const { shown, others } = namedFiles(config);
  return [...shown, ...others];
}

type Checked = { readonly kind: 'good'; readonly warnings: readonly string[] } | { readonly kind: 'bad'; readonly complaint: string };

async function check(config: NodeConfig): Promise<Checked> {
  try {
    return { kind: 'good', warnings: (await loadNodeTls(config)).warnings };
  } catch (error) {
    if (isFailure(error, 'bad-input')) return { kind: 'bad', complaint: error.message };
    throw error;
  }
}

function isSame(one: Seen, other: Seen): boolean {
  return one.size === other.size && [...one].every(([file, digest]) => other.get(file) === digest);
}

/** Digests of files; those whose status is as before are not read again. */
class DigestReader {
  readonly #known = new Map<string, { readonly status: string; readonly digest: string }>();

  async read(files: readonly string[]): Promise<Seen> {
    return new Map(await Promise.all([...new Set(files)].map(async (file): Promise<[string, string]> => [file, await this.#digestOf(file)])));
  }

  async #digestOf(file: string): Promise<string> {
    try {
      const held = heldFiles()[file]?.text;
      const status = [await statusOf(file, held), held ?? ''].join(' ');
      const known = this.#known.get(file);
      if (known?.status === status) return known.digest;
      const digest = createHash('sha256').update(await readNamedFile(file)).digest('hex');
      this.#known.set(file, { status, digest });
      return digest;
    } catch {
      this.#known.delete(file);
      return 'missing';
    }
  }
}

/** @throws the system's error for a file that can't be found, unless something is held in its place */
async function statusOf(file: string, held: string | undefined): Promise<string> {
  try {
    const { ino, size, mtimeNs, ctimeNs } = await stat(file, { bigint: true });
    return [ino, size, mtimeNs, ctimeNs].join(' ');
  } catch (error) {
    if (held === undefined) throw error;
    return 'held in memory';
  }
}
