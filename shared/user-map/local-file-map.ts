/** A user map kept in a local text file, read again when it changes; a faulty file leaves the last good map in place. */
import * as fs from 'node:fs/promises';
import { Failure } from '../base/failure.ts';
import type { Logger } from '../log/log.ts';
import { SlowExpression, parseMapFile } from './map-file.ts';
import type { MapFile } from './map-file.ts';
import type { LocalFileMapOptions, UserEntry, UserMap } from './user-maps.ts';

/** How often the file is looked at, at most. */
const checkIntervalMs = 250;

export class LocalFileMap implements UserMap {
  readonly name: string;
  readonly #path: string;
  readonly #log: Logger;
  #map: MapFile | undefined;
  #version = '';
  #nextCheck = 0;
  #checking: Promise<void> | undefined;

  constructor(options: LocalFileMapOptions, log: Logger) {
    this.name = options.name;
    this.#path = options.path;
    this.#log = log.child({ map: options.name, path: options.path });
  }

  async lookUp(address: string): Promise<UserEntry | undefined> {
    await this.#refresh();
    if (this.#map === undefined) throw new Failure('directory-unavailable', 'The user map can\'t be read. Try again later.');
    const found = this.#find(this.#map, address);
    if (found === undefined) return undefined;
    return { address, mailHost: found.host, dn: undefined, map: this.name, aliases: [], routingAddress: undefined, local: { known: found.by === 'address' ? 'yes' : 'no' } };
  }

  /** What can't be told in time is an outage: a later line or map might name another host. */
  #find(map: MapFile, address: string): ReturnType<MapFile['find']> {
    try {
      return map.find(address);
    } catch (error) {
      if (!(error instanceof SlowExpression)) throw error;
      this.#log.error({ line: error.line, address }, 'an expression of the user map file takes too long; write it so that it can match in one way only');
      throw new Failure('directory-unavailable', 'The user map can\'t say where that is. Try again later.', { cause: error });
    }
  }

  member(): Promise<undefined> {
    return Promise.resolve(undefined);
  }

  authenticate(): Promise<'refused'> {
    return Promise.resolve('refused');
  }

  changePassword(): Promise<never> {
    return Promise.reject(new Failure('forbidden', 'This user has no password in a directory.'));
  }

  pretend(): Promise<void> {
    return Promise.resolve();
  }

  scramSecret(): Promise<undefined> {
    return Promise.resolve(undefined);
  }

  async #refresh(): Promise<void> {
    if (this.#checking === undefined && performance.now() >= this.#nextCheck) {
      this.#checking = this.#check().finally(() => {
        this.#checking = undefined;
        this.#nextCheck = performance.now() + checkIntervalMs;
      });
    }
    await this.#checking;
  }

  async #check(): Promise<void> {
    try {
      const { mtimeNs, ctimeNs, size, ino } = await fs.stat(this.#path, { bigint: true });
      const version = [mtimeNs, ctimeNs, size, ino].join('-');
      if (version === this.#version) return;
      const { map, faults } = parseMapFile(await fs.readFile(this.#path, 'utf8'));
      this.#version = version;
      if (faults.length === 0) this.#map = map;
      else this.#log.error({ faults }, 'user map file has faults; the last good map stays in use');
    } catch (error) {
      this.#log.error({ err: error }, 'user map file can\'t be read; the last good map stays in use');
    }
  }
}
