/**
 * One connection to one LDAP server, for one life: the only file in which the client side of ldapjs is used. ldapjs's own
 * queue, reconnecting and failover stay off, because calls hang in them; whoever holds a dead connection opens a new one.
 */
import ldapjs from 'ldapjs';
import type { Socket } from 'node:net';
import { isWellFormed } from './ber.ts';
import { ConnectionLost, ResultError, resultCodes } from './ldap-errors.ts';
import { toLdapjs } from './ldapjs-filter.ts';
import { nextPage, pageControls } from './ldapjs-paging.ts';
import { FramingError, MessageFramer } from './message-framer.ts';
import { addRequest, deleteRequest, bindRequest, messageIdOf, modifyRequest, passwordModifyRequest, readResult } from './result-message.ts';
import type { NewAttribute, PolicyError, ResultMessage, ValueChange } from './result-message.ts';
import { operationOf, readEntry, searchRequest } from './search-message.ts';
import type { Entry, SearchRequest } from './search-message.ts';

export type { Entry, SearchRequest } from './search-message.ts';

export interface ConnectionOptions {
  /** `ldap://host:port` or `ldaps://host:port`. */
  readonly uri: string;
  readonly startTls: 'yes' | 'no';
  /** PEM certificates that are trusted instead of the system's. */
  readonly ca: string | undefined;
  /** Time for connecting (TLS included), and for each request. */
  readonly timeoutMs: number;
}

export interface SearchAnswer {
  readonly entries: readonly Entry[];
  /** Whether the directory stopped at a size limit, ours or its own (sizeLimitExceeded). */
  readonly more: 'yes' | 'no';
  /** The cookie for the next page, if there is one. */
  readonly nextPage?: Buffer | undefined;
}

const maxAnswerBytes = 4 * 1024 * 1024;
/** protocolOp tags (RFC 4511 section 4): ldapjs itself doesn't check that an answer is of the kind that was asked for. */
const answerTags = { bind: 0x61, searchDone: 0x65, modify: 0x67, add: 0x69, delete: 0x6b, extended: 0x78 } as const;

/** What comes before the end of a search (RFC 4511 section 4.5.2 and 4.5.3). */
const [entryTag, referenceTag] = [0x64, 0x73] as const;

interface Answer { readonly protocolOp: number; readonly status: number; readonly controls?: readonly { readonly type: string }[] }
/** What of ldapjs is not in its published types: the parser that its sockets write to, and the socket in use. */
interface ClientInternals {
  readonly _socket: Socket | null;
  readonly _tracker: { readonly parser: { write(data: Buffer): boolean }; fetch(messageId: number): object | null } | null;
}

/** ldapjs logs whole requests, passwords included: it gets a log that keeps nothing. */
const silentLog = { trace: ignore, debug: ignore, info: ignore, warn: ignore, error: ignore, fatal: ignore, child: () => silentLog };
function ignore(): void { /* nothing to do, on purpose */ }

export class LdapConnection {
  readonly #client: ldapjs.Client;
  readonly #timeoutMs: number;
  /** Rejects, with the reason, everything that waits when the connection dies. */
  readonly #waiting = new Set<(reason: ConnectionLost) => void>();
  /** Requests made without ldapjs, by message id; ldapjs counts its own from 1. */
  readonly #ownRequests = new Map<number, (answer: Buffer) => void>();
  #nextOwnId = 2 ** 30;
  #lost: ConnectionLost | undefined;

  private constructor(client: ldapjs.Client, timeoutMs: number) {
    this.#client = client;
    this.#timeoutMs = timeoutMs;
    for (const event of ['error', 'connectError', 'connectRefused', 'connectTimeout', 'setupError', 'socketTimeout', 'close', 'end']) {
      client.on(event, (reason: unknown) => { this.#lose('ended', reason instanceof Error ? reason.message : `connection ${event}`); });
    }
    client.on('resultError', ignore);
  }

  /** Connects, and secures the connection when asked to. @throws ConnectionLost */
  static async open(options: ConnectionOptions): Promise<LdapConnection> {
    const tlsOptions = tlsOptionsFor(options);
    const client = ldapjs.createClient({
      url: options.uri, tlsOptions, log: silentLog, queueDisable: true, reconnect: false, connectTimeout: options.timeoutMs,
    });
    const connection = new LdapConnection(client, options.timeoutMs);
    await connection.#call<undefined>((resolve) => {
      client.once('connect', () => {
        if (connection.#lost === undefined) resolve(undefined);
        else client.destroy();
      });
    });
    connection.#takeOverReading();
    if (options.startTls === 'yes') {
      await connection.#startTls(tlsOptions);
      connection.#takeOverReading();
    }
    return connection;
  }

  get alive(): boolean {
    return this.#lost === undefined;
  }

  /** Searches. @throws ConnectionLost, ResultError */
  async search(request: SearchRequest): Promise<SearchAnswer> {
    return request.page === undefined ? await this.#searchWhole(request) : await this.#searchPage(request);
  }

  async #searchWhole(request: SearchRequest): Promise<SearchAnswer> {
    const entries: Entry[] = [];
    const take = (answer: Buffer): void => {
      const entry = readEntry(answer);
      if (entry === undefined) throw new FramingError('an entry that is none');
      this.#collect(entries, entry, request);
    };
    try {
      await this.#exchange('searchDone', (id) => searchRequest(id, request, this.#timeLimitSeconds), take);
      return { entries, more: 'no' };
    } catch (error) {
      if (error instanceof ResultError && error.resultCode === resultCodes.sizeLimitExceeded) return { entries, more: 'yes' };
      throw error;
    }
  }

  get #timeLimitSeconds(): number {
    return Math.ceil(this.#timeoutMs / 1000);
  }

  #collect(entries: Entry[], entry: Entry, { sizeLimit }: SearchRequest): void {
    if (sizeLimit === 0 || entries.length < sizeLimit) entries.push(entry);
    else this.#lose('nonsense', 'the directory sends more entries than were asked for');
  }

  async #searchPage(request: SearchRequest): Promise<SearchAnswer> {
    const entries: Entry[] = [];
    return await this.#call<SearchAnswer>((resolve, reject) => {
      const options = {
        scope: request.scope, filter: toLdapjs(request.filter), attributes: [...request.attributes], sizeLimit: request.sizeLimit,
        timeLimit: this.#timeLimitSeconds,
      };
      this.#client.search(request.base, options, [...pageControls(request.page)], (failed, events) => {
        if (failed) { reject(failed); return; }
        events.on('searchEntry', (entry) => { this.#collect(entries, toEntry(entry), request); });
        events.on('searchReference', ignore); // referrals to other servers are not followed
        events.on('error', (error) => {
          if (isResult(error) && error.code === resultCodes.sizeLimitExceeded) resolve({ entries, more: 'yes' });
          else reject(error);
        });
        events.on('end', (result: Answer | null) => {
          if (result?.protocolOp === answerTags.searchDone) resolve({ entries, more: 'no', nextPage: nextPage(result.controls ?? []) });
          else this.#lose('nonsense', 'the directory answered a search with something else');
        });
      });
    });
  }

  /**
   * Simple bind (RFC 4513 section 5.1). The caller has refused empty passwords.
   * @returns what the directory's password policy has against it all the same, such as `changeAfterReset`
   * @throws ConnectionLost, ResultError
   */
  async bind(dn: string, password: string): Promise<PolicyError | undefined> {
    return (await this.#exchange('bind', (id) => bindRequest(id, dn, password))).policyError;
  }

  /** One Modify (RFC 4511 section 4.6): all of the changes are made, in this order, or none. @throws ConnectionLost, ResultError */
  async modify(dn: string, changes: readonly ValueChange[]): Promise<void> {
    await this.#exchange('modify', (id) => modifyRequest(id, dn, changes));
  }

  /** Adds an entry (RFC 4511 section 4.7). @throws ConnectionLost, ResultError */
  async add(dn: string, attributes: readonly NewAttribute[]): Promise<void> {
    await this.#exchange('add', (id) => addRequest(id, dn, attributes));
  }

  /** Removes an entry that has none below it. @throws ConnectionLost, ResultError */
  async delete(dn: string): Promise<void> {
    await this.#exchange('delete', (id) => deleteRequest(id, dn));
  }

  /**
   * Sets a password (Password Modify, RFC 3062); `old` is what the server shall verify first.
   * @throws ConnectionLost, ResultError
   */
  async modifyPassword(dn: string, passwords: { readonly old: string | undefined; readonly new: string }): Promise<void> {
    await this.#exchange('extended', (id) => passwordModifyRequest(id, dn, passwords));
  }

  /** Ends the connection; what waits is rejected. */
  close(): void {
    this.#lose('ended', 'closed');
  }

  async #startTls(tlsOptions: object): Promise<void> {
    await this.#call<undefined>((resolve, reject) => {
      this.#client.starttls(tlsOptions, [], (failed: Error | null) => {
        if (failed) reject(failed);
        else resolve(undefined);
      });
    }).catch((error: unknown) => {
      const reason = error instanceof Error ? error.message : String(error);
      throw this.#lose('ended', `StartTLS failed: ${reason}`);
    });
  }

  /**
   * Takes over what the socket receives: ldapjs gets whole messages only, and what it throws while reading (an unknown result
   * code is enough) ends this connection instead of the process. Its own reader also formats all bytes for a log nobody keeps.
   */
  #takeOverReading(): void {
    const { _socket: socket, _tracker: tracker } = this.#client as unknown as ClientInternals;
    if (socket === null || tracker === null) throw this.#lose('ended', 'closed while connecting');
    const framer = new MessageFramer(() => maxAnswerBytes);
    socket.removeAllListeners('data');
    socket.on('data', (data: Buffer) => {
      try {
        for (const message of framer.write(data)) {
          // Where something is missing inside, ldapjs reads on for ever.
          if (!isWellFormed(message)) throw new FramingError('a message whose parts don\'t fit into it');
          const id = messageIdOf(message) ?? -1;
          const own = this.#ownRequests.get(id);
          if (own !== undefined) own(message);
          else if (tracker.fetch(id) !== null) tracker.parser.write(message);
          // Only the notice of disconnection comes unasked (RFC 4511 section 4.4.1).
          else this.#lose(id === 0 ? 'ended' : 'nonsense', id === 0 ? 'the directory ends the connection' : 'the directory answers what was not asked');
        }
      } catch (error) {
        this.#lose('nonsense', `the directory's answer can't be read: ${error instanceof Error ? error.message : String(error)}`);
      }
    });
  }

  /** Sends a request of our own making and waits for its result. @throws ConnectionLost, ResultError */
  async #exchange(kind: keyof typeof answerTags, request: (messageId: number) => Buffer, onEntry?: (answer: Buffer) => void): Promise<ResultMessage> {
    const messageId = this.#nextOwnId;
    this.#nextOwnId += 1;
    try {
      const result = await this.#call<ResultMessage>((resolve) => {
        this.#ownRequests.set(messageId, (answer) => {
          const tag = onEntry === undefined ? undefined : operationOf(answer);
          if (tag === entryTag) onEntry?.(answer);
          if (tag === entryTag || tag === referenceTag) return; // referrals to other servers are not followed
          const read = readResult(answer);
          if (read?.protocolOp === answerTags[kind]) resolve(read);
          else this.#lose('nonsense', `the directory answered a request (${kind}) with something else`);
        });
        (this.#client as unknown as ClientInternals)._socket?.write(request(messageId));
      });
      if (result.resultCode !== 0) throw new ResultError(result.resultCode, result.diagnosticMessage, result.policyError);
      return result;
    } finally {
      this.#ownRequests.delete(messageId);
    }
  }

  /** Runs one request under our own time limit; ldapjs's own limits don't hold in all of its states. */
  async #call<T>(start: (resolve: (value: T) => void, reject: (error: unknown) => void) => void): Promise<T> {
    if (this.#lost !== undefined) throw this.#lost;
    const { promise, resolve, reject } = Promise.withResolvers<T>();
    const timer = setTimeout(() => { this.#lose('silent', `no answer within ${String(this.#timeoutMs)} ms`); }, this.#timeoutMs);
    this.#waiting.add(reject);
    try {
      start(resolve, (error) => { reject(isResult(error) ? new ResultError(error.code, error.message) : this.#lose('ended', String(error))); });
      return await promise;
    } finally {
      clearTimeout(timer);
      this.#waiting.delete(reject);
    }
  }

  #lose(how: ConnectionLost['how'], reason: string): ConnectionLost {
    if (this.#lost !== undefined) return this.#lost;
    const lost = new ConnectionLost(how, reason);
    this.#lost = lost;
    for (const reject of this.#waiting) reject(lost);
    const socket = (this.#client as unknown as ClientInternals)._socket;
    this.#client.destroy();
    socket?.on('error', ignore); // ldapjs takes its own listeners off, and a late error would end the process
    return lost;
  }
}

function tlsOptionsFor(options: ConnectionOptions): { host: string; ca?: string; servername?: string } {
  const host = new URL(options.uri).hostname.replace(/^\[|\]$/g, '');
  const isAddress = /^[\d.]+$|:/.test(host);
  return { host, ...(isAddress ? {} : { servername: host }), ...(options.ca === undefined ? {} : { ca: options.ca }) };
}

/** Tells the directory's own result codes from ldapjs's errors about the connection, which bear a code too. */
function isResult(error: unknown): error is Error & { code: number } {
  return error instanceof Error && 'lde_message' in error && 'code' in error && typeof error.code === 'number'
    && !['ConnectionError', 'AbandonedError', 'TimeoutError'].includes(error.name);
}

function toEntry(entry: ldapjs.SearchEntry): Entry {
  const attributes = new Map<string, Buffer[]>();
  for (const attribute of entry.attributes) attributes.set(attribute.type.toLowerCase(), attribute.buffers);
  return { dn: String(entry.objectName), attributes };
}
