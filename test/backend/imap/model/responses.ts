/** Server responses as values: of what the model predicts, and nothing else. */
import assert from 'node:assert/strict';

export interface Fetched {
  readonly kind: 'fetch';
  /** Undefined in a UIDFETCH response (RFC 9586). */
  readonly sequence: number | undefined;
  readonly uid: number | undefined;
  readonly flags: ReadonlySet<string> | undefined;
  readonly modseq: number | undefined;
  readonly size: number | undefined;
  readonly body: string | undefined;
  /** Decoded (RFC 3516), and how long that is. */
  readonly binary: string | undefined;
  readonly binarySize: number | undefined;
  readonly preview: string | undefined;
  readonly emailId: string | undefined;
  readonly threadId: string | undefined;
  readonly savedMs: number | undefined;
}

export type Response =
  | Fetched
  | { readonly kind: 'exists' | 'expunge' | 'recent'; readonly number: number }
  | { readonly kind: 'vanished'; readonly earlier: boolean; readonly uids: readonly number[] }
  | { readonly kind: 'search' | 'sort'; readonly found: readonly number[]; readonly modseq: number | undefined }
  /** What stands in its brackets, and its items by name. */
  | { readonly kind: 'esearch'; readonly of: string; readonly numbers: 'uid' | 'sequence'; readonly items: ReadonlyMap<string, string> }
  | { readonly kind: 'thread'; readonly threads: string }
  | { readonly kind: 'flags'; readonly flags: ReadonlySet<string> }
  /** `* OK [CODE …]`. */
  | { readonly kind: 'code'; readonly code: string; readonly value: string }
  | { readonly kind: 'status'; readonly name: string; readonly items: ReadonlyMap<string, number>; readonly mailboxId: string | undefined }
  /** `oldName`: it was renamed (RFC 9051 section 6.3.9.7); `childInfo`: what is in its brackets. */
  | { readonly kind: 'list'; readonly name: string; readonly attributes: readonly string[]; readonly oldName: string | undefined; readonly childInfo: string | undefined }
  | { readonly kind: 'lsub'; readonly name: string; readonly attributes: readonly string[] }
  /** News of annotations, or with values what was asked for; undefined is NIL. */
  | { readonly kind: 'metadata'; readonly name: string; readonly entries: readonly string[]; readonly values: ReadonlyMap<string, string | undefined> | undefined }
  /** Of MYRIGHTS, ACL and LISTRIGHTS: what stands behind the name. */
  | { readonly kind: 'rights'; readonly of: string; readonly name: string; readonly words: readonly string[] }
  /** By its URL; undefined is NIL. */
  | { readonly kind: 'url'; readonly url: string; readonly text: string | undefined }
  | { readonly kind: 'authorised'; readonly url: string }
  | { readonly kind: 'quota' | 'quota root'; readonly text: string }
  | { readonly kind: 'bye' }
  /** Of the open mailbox on another node nothing more is told. */
  | { readonly kind: 'lost' }
  | { readonly kind: 'enabled' };

/** One piece of a response: text, or a literal. */
export type Piece = string | { readonly literal: string };

/** `1:3,7` as numbers, in that order; sets of a test are small. */
export function numbersOf(set: string): number[] {
  if (set === '') return [];
  return set.split(',').flatMap((range) => {
    const [first = 0, last = first] = range.split(':').map(Number);
    return Array.from({ length: last - first + 1 }, (_, index) => first + index);
  });
}

/** @param pieces a response from `* ` to before its CRLF */
export function readResponse(pieces: readonly Piece[]): Response {
  const [text = ''] = pieces;
  assert.ok(typeof text === 'string' && text.startsWith('* '), `no untagged response: ${JSON.stringify(pieces)}`);
  const numbered = /^\* (\d+) (EXISTS|EXPUNGE|RECENT)$/.exec(text);
  if (numbered !== null) return { kind: (numbered[2] ?? '').toLowerCase() as 'exists' | 'expunge' | 'recent', number: Number(numbered[1]) };
  if (/^\* \d+ (?:UID)?FETCH \(/.test(text)) return readFetch(pieces);
  if (text.startsWith('* URLFETCH ')) return readUrl(text, literalOf(pieces));
  const vanished = /^\* VANISHED (\(EARLIER\) )?([\d:,]+)$/.exec(text);
  if (vanished !== null) return { kind: 'vanished', earlier: vanished[1] !== undefined, uids: numbersOf(vanished[2] ?? '') };
  const search = /^\* (SEARCH|SORT)((?: \d+)*)(?: \(MODSEQ (\d+)\))?$/.exec(text);
  if (search !== null) return { kind: search[1] === 'SORT' ? 'sort' : 'search', found: (search[2] ?? '').split(' ').filter((word) => word !== '').map(Number), modseq: search[3] === undefined ? undefined : Number(search[3]) };
  const esearch = /^\* ESEARCH \(([^)]*)\)( UID)?((?: [A-Z]+ (?:[\d:,]+|\([^)]*\)))*)$/.exec(text);
  if (esearch !== null) return readESearch(esearch);
  const thread = /^\* THREAD ?(.*)$/.exec(text);
  if (thread !== null) return { kind: 'thread', threads: thread[1] ?? '' };
  const flags = /^\* FLAGS \(([^)]*)\)$/.exec(text);
  if (flags !== null) return { kind: 'flags', flags: new Set((flags[1] ?? '').split(' ')) };
  const code = /^\* OK \[([A-Z-]+) ?([^\]]*)\]/.exec(text);
  if (code !== null) return { kind: 'code', code: code[1] ?? '', value: code[2] ?? '' };
  return readAccountResponse(text);
}

function readAccountResponse(text: string): Response {
  const status = /^\* STATUS ("[^"]+"|[^" ]+) \(([^()]*?)(?: ?MAILBOXID (\([^)]+\)))?\)$/.exec(text);
  if (status !== null) {
    const words = (status[2] ?? '').split(' ');
    return { kind: 'status', name: (status[1] ?? '').replaceAll('"', ''), items: new Map(words.flatMap((word, index): [string, number][] => (index % 2 === 0 ? [[word, Number(words[index + 1])]] : []))), mailboxId: status[3] };
  }
  const list = /^\* LIST \(([^)]*)\) "\/" ("[^"]+"|[^" ]+)(?: \("OLDNAME" \("?([^")]+)"?\)\))?(?: \("CHILDINFO" \(([^)]*)\)\))?$/.exec(text);
  if (list !== null) return { kind: 'list', name: (list[2] ?? '').replaceAll('"', ''), attributes: (list[1] ?? '').split(' '), oldName: list[3], childInfo: list[4] };
  const lsub = /^\* LSUB \(([^)]*)\) "\/" ("[^"]+"|[^" ]+)$/.exec(text);
  if (lsub !== null) return { kind: 'lsub', name: (lsub[2] ?? '').replaceAll('"', ''), attributes: (lsub[1] ?? '').split(' ') };
  const metadata = /^\* METADATA ("[^"]*"|[^" ]+) (\(.*\)|\/.*)$/.exec(text);
  if (metadata !== null) return readMetadata((metadata[1] ?? '').replaceAll('"', ''), metadata[2] ?? '');
  const rights = /^\* (MYRIGHTS|ACL|LISTRIGHTS) ("[^"]+"|[^" ]+)((?: \S+)*)$/.exec(text);
  if (rights !== null) return { kind: 'rights', of: rights[1] ?? '', name: (rights[2] ?? '').replaceAll('"', ''), words: (rights[3] ?? '').split(' ').slice(1) };
  const authorised = /^\* GENURLAUTH "([^"]+)"$/.exec(text);
  if (authorised !== null) return { kind: 'authorised', url: authorised[1] ?? '' };
  const quota = /^\* QUOTA(ROOT)? (.*)$/.exec(text);
  if (quota !== null) return { kind: quota[1] === undefined ? 'quota' : 'quota root', text: quota[2] ?? '' };
  if (text.startsWith('* BYE ')) return { kind: 'bye' };
  if (text.startsWith('* NO [UNAVAILABLE] ')) return { kind: 'lost' };
  if (text.startsWith('* ENABLED')) return { kind: 'enabled' };
  throw new Error(`nobody predicts ${text}`);
}

function readESearch([text, of = '', uid, data = '']: RegExpExecArray): Response {
  const items = [...data.matchAll(/ ([A-Z]+) ([\d:,]+|\([^)]*\))/g)].map(([, name = '', value = '']): [string, string] => [name, value]);
  const byName = new Map(items);
  assert.equal(byName.size, items.length, text);
  return { kind: 'esearch', of, numbers: uid === undefined ? 'sequence' : 'uid', items: byName };
}

function readMetadata(name: string, data: string): Response {
  const values = data.startsWith('(') ? [...data.slice(1, -1).matchAll(/(\S+) (?:"([^"]*)"|NIL)/g)].map(([, entry = '', value]): [string, string | undefined] => [entry, value]) : undefined;
  return { kind: 'metadata', name, entries: values?.map(([entry]) => entry) ?? data.split(' '), values: values === undefined ? undefined : new Map(values) };
}

function literalOf(pieces: readonly Piece[]): string | undefined {
  return pieces.flatMap((piece) => (typeof piece === 'string' ? [] : [piece.literal]))[0];
}

function readUrl(text: string, literal: string | undefined): Response {
  const [, url = '', value] = /^\* URLFETCH "([^"]+)" (NIL|(?:\((?:BODY|BINARY) )?~?\{\d+\}|"")$/.exec(text) ?? assert.fail(text);
  return { kind: 'url', url, text: value === 'NIL' ? undefined : literal ?? '' };
}

/** What stands behind the names of items. */
const fetchItems = {
  flags: /(?:^| )FLAGS \(([^)]*)\)/, uid: /(?:^| )UID (\d+)/, modseq: /(?:^| )MODSEQ \((\d+)\)/, size: /(?:^| )RFC822\.SIZE (\d+)/, body: /(?:^| )BODY\[\] (\{\d+\})/,
  binary: /(?:^| )BINARY\[1\] (~?\{\d+\}|"")/, binarySize: /(?:^| )BINARY\.SIZE\[1\] (\d+)/, preview: /(?:^| )PREVIEW (\{\d+\}|"[^"]*")/,
  emailId: /(?:^| )EMAILID \(([^)]+)\)/, threadId: /(?:^| )THREADID \(([^)]+)\)/, savedMs: /(?:^| )SAVEDATE "([^"]+)"/,
} as const;

function readFetch(pieces: readonly Piece[]): Fetched {
  const text = pieces.map((piece) => (typeof piece === 'string' ? piece : '')).join('');
  const [, numbered, verb, items = ''] = /^\* (\d+) (FETCH|UIDFETCH) \((.*)\)$/.exec(text) ?? [];
  const rest = Object.values(fetchItems).reduce((left, item) => left.replace(item, ''), items);
  assert.equal(rest, '', `nobody predicts ${rest} in ${text}`);
  const word = (item: keyof typeof fetchItems): string | undefined => fetchItems[item].exec(items)?.[1];
  const number = (item: keyof typeof fetchItems): number | undefined => (word(item) === undefined ? undefined : Number(word(item)));
  const string = (item: keyof typeof fetchItems): string | undefined => (word(item)?.endsWith('}') === true ? literalOf(pieces) : word(item)?.slice(1, -1));
  const saved = word('savedMs');
  return {
    kind: 'fetch', sequence: verb === 'FETCH' ? Number(numbered) : undefined, uid: verb === 'FETCH' ? number('uid') : Number(numbered), modseq: number('modseq'), size: number('size'),
    flags: word('flags') === undefined ? undefined : new Set(word('flags')?.split(' ').filter((flag) => flag !== '')),
    body: string('body'), binary: string('binary'), binarySize: number('binarySize'), preview: string('preview'),
    emailId: word('emailId'), threadId: word('threadId'), savedMs: saved === undefined ? undefined : Date.parse(saved.replaceAll('-', ' ').replace(/ (\d{4})$/, ' -$1')),
  };
}
