/** Publishes a version: one Modify at the one server that takes writes, which fails when somebody else was first. */
import { readFile } from 'node:fs/promises';
import { Failure } from '../../shared/base/failure.ts';
import { LdapConnection } from '../../shared/ldap/ldap-connection.ts';
import { ConnectionLost, isOvertaken, ResultError, resultCodes } from '../../shared/ldap/ldap-errors.ts';
import { readSecret } from '../secret.ts';
import type { Bootstrap } from './bootstrap.ts';
import { VersionNames } from './publication.ts';
import { digestOf, entryAttributes, entryLayouts, publishedOf, replacement } from './published.ts';
import { longestFact } from './limits.ts';
import type { EntryLayout, Published } from './published.ts';

export interface ToPublish {
  readonly text: string;
  readonly by: string;
  readonly message: string;
  /** The version that the publisher started from; 0: nothing was published. */
  readonly after: number;
}

/** Room for the rest of the message within what the embedded directory and our LDAP client take. */
const longestBytes = 1024 * 1024;

/**
 * Makes it the present version, and keeps the one before beside it.
 * @throws Failure `in-use` when another version than `after` is the present one (the text says who published it),
 *   `directory-unavailable`, `forbidden` (the directory refuses), `bad-input`
 */
export async function publish(bootstrap: Bootstrap, wanted: ToPublish, environment: Readonly<Record<string, string | undefined>>): Promise<Published> {
  const { directory } = bootstrap;
  const { write } = directory;
  if (write === undefined) throw new Failure('bad-input', 'the bootstrap file names no directory.write: from here nothing can be published');
  if (Buffer.byteLength(wanted.text) > longestBytes) throw new Failure('bad-input', `a published configuration has at most ${String(longestBytes)} bytes`);
  const next: Published = {
    number: wanted.after + 1, digest: digestOf(wanted.text), at: new Date().toISOString(), text: wanted.text,
    by: oneLine('the publisher\'s name', wanted.by), message: oneLine('the message', wanted.message),
  };
  let connection: LdapConnection | undefined;
  try {
    connection = await LdapConnection.open({
      uri: write.uri, startTls: directory.startTls ? 'yes' : 'no', timeoutMs: directory.timeoutSeconds * 1000,
      ca: directory.ca === undefined ? undefined : await readFile(directory.ca, 'utf8'),
    });
    await connection.bind(write.bindDn, await readSecret(write.bindPassword, environment));
    await new Write(connection, new VersionNames(directory.entry), entryLayouts[directory.serverType]).replace(wanted.after, next);
    return next;
  } catch (error) {
    throw asFailure(error, write.uri);
  } finally {
    connection?.close();
  }
}

function oneLine(what: string, text: string): string {
  const plain = text.replaceAll(/\s+/g, ' ').trim();
  if (plain.length > longestFact) throw new Failure('bad-input', `${what} has at most ${String(longestFact)} characters`);
  return plain;
}

class Write {
  readonly #connection: LdapConnection;
  readonly #names: VersionNames;
  readonly #layout: EntryLayout;

  constructor(connection: LdapConnection, names: VersionNames, layout: EntryLayout) {
    this.#connection = connection;
    this.#names = names;
    this.#layout = layout;
  }

  async replace(after: number, next: Published): Promise<void> {
    const present = await this.#present();
    if ((present?.number ?? 0) !== after) throw lateFor(present);
    try {
      if (present === undefined) await this.#connection.add(this.#names.head, this.#entry(this.#names.cn, next));
      else {
        await this.#keep(present);
        await this.#connection.modify(this.#names.head, replacement(this.#layout, present, next));
      }
    } catch (error) {
      if (!isOvertaken(error) && !hasCode(error, resultCodes.entryAlreadyExists)) throw error;
      throw lateFor(await this.#present());
    }
  }

  /** Before it is replaced, so that no version is ever lost; another publisher may have done it already. */
  async #keep(present: Published): Promise<void> {
    try {
      await this.#connection.add(this.#names.ofVersion(present.number), this.#entry(this.#names.cnOfVersion(present.number), present));
    } catch (error) {
      if (!hasCode(error, resultCodes.entryAlreadyExists)) throw error;
    }
  }

  #entry(cn: string, version: Published): Parameters<LdapConnection['add']>[1] {
    return [{ attribute: 'cn', values: [cn] }, ...entryAttributes(this.#layout, version)];
  }

  async #present(): Promise<Published | undefined> {
    const { number, document, facts } = this.#layout;
    try {
      const filter = { kind: 'present', attribute: 'objectClass' } as const;
      const { entries } = await this.#connection.search({ base: this.#names.head, scope: 'base', filter, attributes: [number, document, facts], sizeLimit: 1 });
      return entries[0] === undefined ? undefined : publishedOf(this.#layout, entries[0]);
    } catch (error) {
      if (hasCode(error, resultCodes.noSuchObject)) return undefined;
      throw error;
    }
  }
}

function hasCode(error: unknown, code: number): boolean {
  return error instanceof ResultError && error.resultCode === code;
}

/** Says who was first. */
export function lateFor(first: Published | undefined): Failure {
  if (first === undefined) return new Failure('in-use', 'nothing is published now, though there was when you began: begin again');
  const { number, by, at, message } = first;
  return new Failure('in-use', `somebody else was first: version ${String(number)} by ${by} at ${at}${message === '' ? '' : ` (${message})`}. Nothing was published; compare with it, and begin again from there`);
}

function asFailure(error: unknown, uri: string): unknown {
  if (error instanceof ConnectionLost) return new Failure('directory-unavailable', `nothing was published, as far as is known: ${uri}, which takes changes, can't be reached (${error.message}). "config history" says for certain`, { cause: error });
  if (!(error instanceof ResultError)) return error;
  const kind = error.resultCode === resultCodes.busy || error.resultCode === resultCodes.unavailable ? 'directory-unavailable' : 'forbidden';
  return new Failure(kind, `nothing was published: ${uri} refuses it (result ${String(error.resultCode)}: ${error.message === '' ? 'no reason given' : error.message})`, { cause: error });
}
