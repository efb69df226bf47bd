/**
 * The directory as the source of a node's configuration: polled with jitter, never back to a lower version (a replica may lag), each version
 * checked, the last good one kept on a back-end's disk.
 */
import { Failure, isFailure } from '../../shared/base/failure.ts';
import type { Logger } from '../../shared/log/log.ts';
import type { ConfigWatch } from '../file-source.ts';
import { ConfigurationRefused } from '../problem.ts';
import type { Bootstrap } from './bootstrap.ts';
import { keepVersion, keptFile, readKept } from './kept-version.ts';
import { Publication } from './publication.ts';
import type { Surroundings } from './publication.ts';
import type { Published } from './published.ts';
import { asSourceVersion } from './source-version.ts';
import type { SourceVersion } from './source-version.ts';
import type { FirstOptions, FollowOptions, Source } from './source.ts';

/** A version that could not be started for a reason outside of it (a port, a file) is tried again so often. */
const tryAgainMs = 30_000;
/** Of old versions, for a node that starts while a bad one is published and has kept none. */
const mostOldVersions = 5;

interface DirectorySourceOptions {
  readonly bootstrap: Bootstrap;
  readonly file: string;
  readonly node: string;
  readonly role: 'frontend' | 'backend';
  readonly environment: Surroundings['environment'];
}

export class DirectorySource implements Source {
  readonly kind = 'directory';
  readonly publishes: boolean;
  readonly node: string | undefined;
  readonly #options: DirectorySourceOptions;
  readonly #keptFile: string | undefined;

  private constructor(options: DirectorySourceOptions) {
    const { bootstrap, file, node, role } = options;
    if (node === '') throw new Failure('bad-input', `${file} does not say which node this is: node: NAME there, or --node NAME`);
    if (role === 'backend' && bootstrap.keep === undefined) throw new Failure('bad-input', `${file}: a back-end keeps the last good version on its disk: keep: FOLDER`);
    this.#options = options;
    this.node = node;
    this.publishes = bootstrap.directory.write !== undefined;
    // Front-ends write nothing.
    this.#keptFile = role === 'backend' && bootstrap.keep !== undefined ? keptFile(bootstrap.keep, node) : undefined;
  }

  static open(options: DirectorySourceOptions): DirectorySource {
    return new DirectorySource(options);
  }

  async first({ log, accept, onRefused }: FirstOptions): Promise<SourceVersion> {
    const publication = await this.#open(log);
    try {
      const kept = this.#keptFile === undefined ? undefined : await readKept(this.#keptFile);
      const candidates = this.#candidates(publication, kept, log);
      for await (const published of candidates) {
        const version = asSourceVersion(this.#options.bootstrap, this.#options.file, published);
        try {
          accept(version);
        } catch (error) {
          if (!(error instanceof ConfigurationRefused)) throw error;
          log.error({ version: published.number, problems: error.message.split('\n') }, 'configuration refused; an older one is tried');
          onRefused({ number: published.number, why: error.message });
          continue;
        }
        return version;
      }
      throw new Failure('bad-input', `no version at ${publication.names.head} can be run by ${this.node ?? ''}; the log says why`);
    } finally {
      publication.close();
    }
  }

  /** What to try: the newer of what is published and what is kept, then the other, then older ones. */
  async *#candidates(publication: Publication, kept: Published | undefined, log: Logger): AsyncGenerator<Published, void, void> {
    const head = await this.#headOrTrouble(publication);
    if (head instanceof Failure) {
      if (kept === undefined) throw head;
      log.warn({ err: head, version: kept.number }, 'the published configuration can\'t be read; starts with the one kept here');
      yield kept;
      return;
    }
    if (head === undefined && kept === undefined) throw new Failure('bad-input', `nothing is published at ${publication.names.head}: "waybill config publish FILE --config ${this.#options.file}" does it`);
    const known = [head, kept].filter((one) => one !== undefined).toSorted((one, other) => other.number - one.number);
    yield* known;
    const newest = known[0]?.number ?? 0;
    for (let number = newest - 1; number >= Math.max(1, newest - mostOldVersions); number -= 1) {
      const old = known.some((one) => one.number === number) ? undefined : await publication.version(number);
      if (old !== undefined) yield old;
    }
  }

  async #headOrTrouble(publication: Publication): Promise<Published | undefined | Failure> {
    try {
      return await publication.head();
    } catch (error) {
      if (isFailure(error)) return error;
      throw error;
    }
  }

  follow(options: FollowOptions): ConfigWatch {
    const { bootstrap, file } = this.#options;
    const follower = new Follower({
      ...options,
      open: async () => this.#open(options.log),
      asVersion: (published) => asSourceVersion(bootstrap, file, published),
      keep: async (published) => this.#keep(published, options.log),
      pollMs: bootstrap.directory.pollSeconds * 1000,
    });
    follower.begin();
    return follower;
  }

  async #open(log: Logger): Promise<Publication> {
    return Publication.open(this.#options.bootstrap, { log, environment: this.#options.environment });
  }

  async #keep(published: Published, log: Logger): Promise<void> {
    if (this.#keptFile === undefined) return;
    try {
      await keepVersion(this.#keptFile, published);
    } catch (error) {
      log.error({ err: error, file: this.#keptFile }, 'the configuration could not be kept on this disk; while the directory is away this node would start with an older one');
    }
  }
}

interface FollowerOptions extends FollowOptions {
  readonly open: () => Promise<Publication>;
  readonly asVersion: (published: Published) => SourceVersion;
  readonly keep: (published: Published) => Promise<void>;
  readonly pollMs: number;
}

/** Looks at the directory again and again; one look at a time. */
class Follower implements ConfigWatch {
  readonly #options: FollowerOptions;
  #publication: Publication | undefined;
  #turn: Promise<void> = Promise.resolve();
  #timer: NodeJS.Timeout | undefined;
  #closed = false;
  /** The highest version that was put to use or refused: nothing below it is looked at any more. */
  #seen: number;
  #kept = 0;
  #tryAgainAtMs = Infinity;
  #trouble: string | undefined;

  constructor(options: FollowerOptions) {
    this.#options = options;
    this.#seen = options.inUse.number ?? 0;
  }

  begin(): void {
    this.#timer = setTimeout(() => {
      // Never rejects: what goes wrong is logged.
      void this.lookNow().then(() => { if (!this.#closed) this.begin(); });
    }, this.#options.pollMs * (0.75 + Math.random() / 2)).unref();
  }

  async lookNow(): Promise<void> {
    this.#turn = this.#turn.then(async () => this.#look()).catch((error: unknown) => this.#complain(error));
    await this.#turn;
  }

  close(): void {
    this.#closed = true;
    clearTimeout(this.#timer);
    this.#publication?.close();
  }

  async #look(): Promise<void> {
    this.#publication ??= await this.#options.open();
    const facts = await this.#publication.headFacts();
    this.#heard(facts === undefined ? `nothing is published at ${this.#publication.names.head} any more` : undefined);
    if (facts === undefined || this.#closed) return;
    const isAgain = facts.number === this.#seen && Date.now() >= this.#tryAgainAtMs;
    const isFirstKeeping = facts.number === this.#options.inUse.number && this.#kept === 0;
    if (facts.number <= this.#seen && !isAgain && !isFirstKeeping) return;
    const published = await this.#publication.head();
    if (published === undefined || published.number < this.#seen) return; // a replica that lags
    if (isFirstKeeping && published.number === this.#options.inUse.number) await this.#keep(published);
    else await this.#use(published);
  }

  async #use(published: Published): Promise<void> {
    const { onVersion, onRefused, asVersion, log } = this.#options;
    this.#seen = published.number;
    this.#tryAgainAtMs = Infinity;
    try {
      await onVersion(asVersion(published));
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      if (error instanceof ConfigurationRefused) log.error({ version: published.number, problems: why.split('\n') }, 'configuration refused; the version before stays in use');
      else {
        this.#tryAgainAtMs = Date.now() + tryAgainMs;
        log.error({ err: error, version: published.number }, 'configuration not applied; the version before stays in use');
      }
      onRefused({ number: published.number, why });
      return;
    }
    await this.#keep(published);
  }

  async #keep(published: Published): Promise<void> {
    this.#kept = published.number;
    await this.#options.keep(published);
  }

  #complain(error: unknown): void {
    if (this.#closed) return;
    if (isFailure(error, 'directory-unavailable')) this.#heard(`the directory can't be read: ${error.message}`);
    else if (isFailure(error)) this.#heard(error.message);
    else this.#options.log.error({ err: error }, 'could not look at the published configuration');
  }

  /** Told once when it begins, and once when it is over. */
  #heard(trouble: string | undefined): void {
    if (trouble === this.#trouble) return;
    this.#trouble = trouble;
    if (trouble === undefined) this.#options.log.info('the published configuration can be read again');
    else this.#options.log.warn({ reason: trouble }, 'goes on with the configuration it has');
    this.#options.onDirectory(trouble);
  }
}
