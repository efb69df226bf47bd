/** The grammars that strangers' bytes are read by: what each is of, the words it is likely to be made of, and how long a text of it may be. All take latin1 text. */
import { announcedLiteral, readCommand, startCommand, tagOf } from '../../shared/imap/command-reader.ts';
import { isBeforeMessage, isBeforeUrl, takeAppendArguments } from '../../shared/imap/append-arguments.ts';
import { parseFetch } from '../../shared/imap/fetch-items.ts';
import { parseIdFields } from '../../shared/imap/id-fields.ts';
import { parseMessageUrl } from '../../shared/imap/imap-url.ts';
import { parseList } from '../../shared/imap/list-arguments.ts';
import { compilePattern } from '../../shared/imap/list-pattern.ts';
import { parseCreate, parseSelect, takeMailbox, takeStatusItems } from '../../shared/imap/mailbox-arguments.ts';
import { decodeMailboxName, encodeMailboxName } from '../../shared/imap/mailbox-name.ts';
import { parseGetMetadata, parseSetMetadata } from '../../shared/imap/metadata-arguments.ts';
import { parseMultisearch } from '../../shared/imap/multisearch-arguments.ts';
import { parseNotify } from '../../shared/imap/notify-arguments.ts';
import { parseRightsChange, takeIdentifier } from '../../shared/imap/rights.ts';
import { Scanner } from '../../shared/imap/scanner.ts';
import { parseSearch, parseSort, parseThread } from '../../shared/imap/search-arguments.ts';
import { takeKnownSet } from '../../shared/imap/sequence-set.ts';
import { parseCopy, parseStore } from '../../shared/imap/store-arguments.ts';
import { parseKeyReset, parseUrlsToAuthorise, parseUrlsToFetch } from '../../shared/imap/url-arguments.ts';
import { readHostField } from '../../shared/http/host-field.ts';
import { parseAddressList } from '../../shared/mime/address.ts';
import { baseSubject } from '../../shared/mime/base-subject.ts';
import { casemap, casemapOrder } from '../../shared/mime/casemap.ts';
import { parseDate } from '../../shared/mime/date.ts';
import { decodeWords, encodeWords } from '../../shared/mime/encoded-words.ts';
import { fieldLines } from '../../shared/mime/field-lines.ts';
import { decodeParameter, parseParametrisedValue, splitFields } from '../../shared/mime/header.ts';
import { chooseFields, fieldValues, keepFieldsOf } from '../../shared/mime/kept-fields.ts';
import { ancestors, ownId } from '../../shared/mime/message-ids.ts';
import { readFields, readMessageHeader } from '../../shared/mime/part-header.ts';
import { textOfHtml } from '../../shared/mime/preview.ts';
import { scanMessage } from '../../shared/mime/scan.ts';
import { decodeText } from '../../shared/mime/text.ts';
import { parseProxyHeader } from '../../shared/net/proxy-protocol.ts';
import { parseCommandLine, parseForwardedClient, parseNumbers } from '../../shared/pop3/command.ts';
import { readBearer } from '../../shared/sasl/bearer.ts';
import { decodeBase64, startSasl } from '../../shared/sasl/mechanisms.ts';
import { ScramServer } from '../../shared/sasl/scram.ts';
import { normaliseDomain, parseAddress } from '../../shared/smtp/address.ts';
import { assembleReply, parseReplyLine } from '../../shared/smtp/reply.ts';
import { fuzzyWord, likeness } from '../../backend/text-index/likeness.ts';
import { needleLinks, needleRuns, scanTokens } from '../../backend/text-index/tokens.ts';

export interface Grammar {
  readonly name: string;
  readonly words: readonly string[];
  /** Octets of the longest text that comes to it. */
  readonly most: number;
  /** Failures are answers. */
  readonly read: (text: string) => unknown;
}

/** As `maxCommandBytes` of backend/imap and the usual limit of a header. */
const [command, header, body] = [64 * 1024, 1024 * 1024, 4 * 1024 * 1024] as const;

const common = [' ', '(', ')', '"', '\\', '\r\n', '\n', '\r', '\t', '\0', '\xff', '\xc3\xa4', 'a', 'A1', '1', '0', '9999999999', '*', '%', ',', ':', ';', '=', '.', '/', '<', '>', '@', '[', ']', '{', '}', '{1+}\r\na', '~{2}\r\nab', '-', '+', '&', '$', '?', "'", '_', '!'];

function imap(name: string, read: (scanner: Scanner) => unknown, words: readonly string[]): Grammar {
  return {
    name: `IMAP ${name}`, most: command, words: [...words, ...common],
    read: (text) => {
      const scanner = new Scanner(text);
      const given = read(scanner);
      scanner.end();
      return given;
    },
  };
}

const keys = ['ALL ', 'NOT ', 'OR ', 'SEEN ', 'SUBJECT "a" ', 'TEXT a ', 'HEADER X "" ', 'UID 1:* ', '1,2:4 ', 'SINCE 1-Feb-2020 ', 'FUZZY ', 'MODSEQ 1 ', 'MODSEQ "/flags/\\\\Seen" all 2 ', 'CHARSET UTF-8 ', 'KEYWORD k ', 'LARGER 5 ', 'EMAILID M1 ', '$ ', 'RETURN (MIN COUNT PARTIAL 1:2) ', 'RETURN () '];
const filters = ['selected', 'personal', 'inboxes', 'subtree a', 'mailboxes (a b)', 'subtree-one ("x" y)', 'IN ('];
const names = ['INBOX', 'a/b', '"Other Users/x"', '&AOQ-', '&', '&-', 'inbox/'];
const flags = ['\\Seen', '\\Recent', '(\\Deleted k)', '$Junk'];

async function wholeCommand(text: string): Promise<void> {
  let at = 0;
  const take = (length: number): Buffer => Buffer.from(text.slice(at, at += length), 'latin1');
  const source = {
    readLine: async () => {
      await Promise.resolve();
      if (at >= text.length) return undefined;
      const end = text.indexOf('\r\n', at);
      return take(end === -1 ? text.length : end + 2 - at).toString('latin1').replace(/\r\n$/, '');
    },
    readBytes: async (length: number) => Promise.resolve(take(length)),
    readStream: async function* (length: number) { yield await Promise.resolve(take(length)); },
  };
  let found: ReturnType<typeof isBeforeMessage> = 'not yet';
  const read = await readCommand(source, { maxBytes: command, maxDiscardedBytes: command, invite: async () => Promise.resolve(), takesOver: (before) => {
    if (found !== 'never') found = isBeforeMessage(before, 'utf-7');
    return found === 'yes';
  } });
  if (read.kind === 'command') startCommand(read.text);
}

const imapGrammars: readonly Grammar[] = [
  { name: 'IMAP commands with literals', most: command, words: ['a APPEND ', 'a UID REPLACE 1 ', 'INBOX ', 'CATENATE (', 'URL ', 'TEXT ', '{3+}\r\nabc', '{0+}\r\n', '~{1}\r\n\0', '{99999+}\r\n', 'a SEARCH ', ...common], read: wholeCommand },
  { name: 'IMAP beginnings of commands', most: command, words: ['a ', 'UID ', 'FETCH ', '~{1}\r\n\0', ...common], read: (text) => [tagOf(text), announcedLiteral(text), isBeforeUrl(text), startCommand(text)] },
  imap('APPEND', (scanner) => takeAppendArguments(scanner, 'APPEND', { names: 'utf-7', end: 'literal' }), [...names, ...flags, ' "17-Jul-1996 02:44:25 -0700"', ' CATENATE (', 'URL a ', 'UTF8 (', 'TEXT ']),
  imap('REPLACE', (scanner) => takeAppendArguments(scanner, 'UID REPLACE', { names: 'utf-8', end: 'end' }), ['1 ', '* ', ...names, ...flags, ' CATENATE (', 'URL a ']),
  imap('FETCH', parseFetch, ['1:* ', 'FLAGS ', 'BODY[', 'BODY.PEEK[1.2.MIME]', 'HEADER.FIELDS (', 'X-A ', ']<0.5>', 'BINARY[1]', 'BINARY.SIZE[', '(CHANGEDSINCE 1 VANISHED)', '(PARTIAL 1:-2)', 'PREVIEW (LAZY)', 'FULL']),
  imap('STORE', parseStore, ['1,3 ', '(UNCHANGEDSINCE 3) ', '+FLAGS.SILENT ', 'FLAGS ', ...flags]),
  imap('COPY', (scanner) => parseCopy(scanner, 'utf-7'), ['1 ', '*:4 ', ...names]),
  imap('sequence sets', takeKnownSet, ['1:', '*,', '4:2,', '1,']),
  imap('SEARCH', parseSearch, keys),
  imap('SORT', parseSort, ['(SUBJECT REVERSE DATE) ', 'REVERSE ', 'UTF-8 ', ...keys]),
  imap('THREAD', parseThread, ['REFERENCES ', 'UTF-8 ', ...keys]),
  imap('ESEARCH', (scanner) => parseMultisearch(scanner, 'utf-7'), [...filters, ...keys]),
  imap('NOTIFY', (scanner) => parseNotify(scanner, 'utf-7'), ['SET ', 'SET STATUS ', 'NONE', '(', ...filters, ' (MessageNew (FLAGS BODY.PEEK[]) MessageExpunge)', ' NONE)', 'FlagChange ', 'AnnotationChange ']),
  imap('LIST', (scanner) => parseList(scanner, 'utf-7'), ['"" ', '(SUBSCRIBED RECURSIVEMATCH) ', '%', '*', ' RETURN (STATUS (MESSAGES) METADATA (/private/a) CHILDREN)', ...names]),
  imap('SELECT', (scanner) => parseSelect(scanner, 'utf-7'), [...names, ' (QRESYNC (1 2 ', '1:5 ', '(1:9 1:9)', '))', ' (CONDSTORE)', 'CONDSTORE ']),
  imap('CREATE', (scanner) => parseCreate(scanner, 'utf-8'), [...names, ' (USE (\\Sent \\Trash))', '\\Sent ', '\xf0\x9f\x98\x80']),
  imap('STATUS', (scanner) => [takeMailbox(scanner, 'utf-7'), scanner.space(), takeStatusItems(scanner)], [...names, ' (MESSAGES UIDNEXT)', 'SIZE ']),
  imap('GETMETADATA', (scanner) => parseGetMetadata(scanner, 'utf-7'), ['(DEPTH infinity) ', '(MAXSIZE 5) ', '/private/comment', '/shared/', ...names]),
  imap('SETMETADATA', (scanner) => parseSetMetadata(scanner, 'utf-7'), [...names, ' (/private/comment ', '/shared/vendor/a/b "x"', 'NIL']),
  imap('GENURLAUTH', parseUrlsToAuthorise, ['imap://a@h/INBOX/;UID=1;URLAUTH=anonymous', ' INTERNAL ']),
  imap('URLFETCH', parseUrlsToFetch, ['imap://a@h/INBOX/;UID=1;URLAUTH=anonymous:internal:01', '(u BODYPARTSTRUCTURE BINARY)']),
  imap('RESETKEY', (scanner) => parseKeyReset(scanner, 'utf-7'), [...names, ' INTERNAL']),
  imap('ID', parseIdFields, ['("name" "x" ', '"a" NIL ', 'NIL']),
  imap('identifiers and rights', (scanner) => [takeIdentifier(scanner), scanner.space(), parseRightsChange(scanner.astring())], ['anyone ', '-a@b ', '+lrs', '-cd', 'lrswipkxtea']),
  { name: 'IMAP URLs', most: 8192, words: ['imap://', 'a;AUTH=*@', 'h/', 'INBOX', ';UIDVALIDITY=1', '/;UID=1', '/;SECTION=', '1.HEADER.FIELDS%20(A)', '/;PARTIAL=0.5', ';EXPIRE=2026-01-01T00:00:00Z', ';URLAUTH=user+a', ':internal:', '0123456789abcdef'.repeat(2), '%C3%A4', '%', ...common], read: (text) => parseMessageUrl(text, 'a/b') },
  { name: 'IMAP names in UTF-7', most: command, words: [...names, '&2D3eAA-', '&AGE-', ...common], read: (text) => encodeMailboxName(decodeMailboxName(text, 'utf-7'), 'utf-7') },
  { name: 'IMAP names in UTF-8', most: command, words: [...names, 'e\xcc\x81', '\xf0\x9f\x98\x80', '\xed\xa0\x80', ...common], read: (text) => encodeMailboxName(decodeMailboxName(text, 'utf-8'), 'utf-8') },
  { name: 'LIST patterns', most: 1000, words: ['*a', '%/', 'INBOX', '\xe4', ...common], read: (text) => compilePattern(text)(text.replaceAll(/[*%]/g, 'ab').slice(0, 1000)) },
];

const mime = ['=?utf-8?q?=C3=A4?=', '=?utf-8?b?', '?=', '=?iso-2022-jp?B?GyRC?=', '=?', 'Re: ', '[a] ', '(fwd)', '[fwd: ', 'Ann <a@b>', 'G: ', '"q\\"', '(c(d)\\)', '<@r:a@b>', ';', "name*0*=utf-8''%C3", '; name*1=x', '; a="b\\"c"', 'boundary=', 'Mon, 1 Jan 2024 00:00:00 +0000', ' GMT', '<a@b> ', ...common];
const fields = ['Subject: ', 'From: ', 'To: a@b, ', 'Date: ', 'References: <a@b> ', 'Message-ID: <"a\\b"@c>', 'Content-Type: multipart/mixed; boundary=x\r\n', 'Content-Type: message/rfc822\r\n', 'Content-Transfer-Encoding: base64\r\n', '\r\n\r\n', '--x\r\n', '--x--\r\n', '--x', ' folded\r\n', ':', ...mime];
const html = ['<!--', '-->', '<style', '</style>', '<script>', '</script', '<title>', '<p>', '&amp;', '&#x', '&#99;', '&', '<', ...common];
const encoded = ['=', '=C3=A4', '=\r\n', ' \r\n', 'YWJj', '==', '\x1b$B', '\x1b(B', '~{', '+AGE-', ...common];

function ofHeader(name: string, read: (text: string) => unknown, words: readonly string[] = mime): Grammar {
  return { name, most: header, words, read };
}

const mimeGrammars: readonly Grammar[] = [
  ofHeader('address lists', parseAddressList),
  ofHeader('encoded words', (text) => encodeWords(decodeWords(text))),
  ofHeader('parameters (RFC 2231)', (text) => ['name', 'a', 'boundary'].map((name) => decodeParameter(parseParametrisedValue(text).parameters, name))),
  ofHeader('dates', parseDate),
  ofHeader('subjects', (text) => casemapOrder(baseSubject(text).text)),
  ofHeader('header sections', (text) => {
    const read = readMessageHeader(readFields(text));
    return [splitFields(text), fieldLines(text), ownId(read), ancestors(read)];
  }, fields),
  ofHeader('kept fields', (text) => fieldValues(keepFieldsOf(text).toString('latin1'), chooseFields(['SUBJECT', 'TO'])), fields),
  { name: 'messages', most: body, words: fields, read: (text) => scanMessage(Buffer.from(text, 'latin1')) },
  { name: 'HTML', most: body, words: html, read: textOfHtml },
  { name: 'bodies in quoted-printable', most: body, words: encoded, read: (text) => decodeText(Buffer.from(text, 'latin1'), 'quoted-printable', 'utf-8') },
  { name: 'bodies in base64', most: body, words: encoded, read: (text) => decodeText(Buffer.from(text, 'latin1'), 'base64', 'iso-2022-jp') },
  { name: 'bodies in charsets', most: body, words: encoded, read: (text) => ['gb18030', 'shift_jis', 'utf-7', 'utf-16', text.slice(0, 20)].map((charset) => decodeText(Buffer.from(text, 'latin1'), '8bit', charset)) },
  { name: 'text for the index', most: body, words: ['\xc3\x9f', 'word ', '123', '\xe6\xbc\xa2', '\xf0\x9f\x98\x80', 'e\xcc\x81', ...common], read: (text) => scanTokens(casemap(decodeWords(text)), { word: () => undefined, pieces: () => undefined }) },
  { name: 'words searched for', most: command, words: ['\xc3\x9f', 'word ', '123', '\xe6\xbc\xa2', ...common], read: (text) => {
    const mapped = casemap(Buffer.from(text, 'latin1').toString());
    return [needleLinks(needleRuns(mapped)), likeness(fuzzyWord(mapped.slice(0, 24)), mapped.slice(0, 24))];
  } },
];

const otherGrammars: readonly Grammar[] = [
  { name: 'POP3 commands', most: 8192, words: ['USER ', 'RETR ', 'XCLIENT ', 'ADDR=::1 ', 'PORT=1 ', 'SESSION=a ', 'FORWARD=', ...common], read: (text) => {
    const { argument } = parseCommandLine(text);
    return [() => parseNumbers(argument, 2, 'the form is: TOP number lines'), () => parseForwardedClient(argument, { address: '::1', port: 1, session: 'x' })].map((one) => one());
  } },
  { name: 'mail addresses', most: command, words: ['a@b', '"q"@c', '[IPv6:::1]', 'xn--', '\xc3\xa4', '.', ...common], read: (text) => [parseAddress(Buffer.from(text, 'latin1').toString()), normaliseDomain(text)] },
  { name: 'SMTP replies', most: command, words: ['250 ', '550-5.1.1 ', '2.0.0 ok', ...common], read: (text) => assembleReply([parseReplyLine(text)].filter((line) => line !== undefined)) },
  { name: 'SASL', most: 16_384, words: ['n,,n=a,r=b', 'p=tls-exporter,,', 'a=b,', 'c=biws,r=b,p=', 'auth=Bearer ', '\x01', 'n,a=b,', 'user=a\x01', 'm=x', ...common], read: (text) => {
    const bytes = decodeBase64(text) ?? Buffer.from(text, 'latin1');
    return [() => readBearer('OAUTHBEARER', bytes), () => readBearer('XOAUTH2', bytes), () => startSasl('PLAIN').step(bytes), () => new ScramServer({ mechanism: 'SCRAM-SHA-256', plus: 'no', bindings: new Map() }).first(bytes)].map((one) => quietly(one));
  } },
  { name: 'PROXY headers', most: command, words: ['PROXY TCP4 ', '1.2.3.4 ', 'PROXY UNKNOWN', '\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c', '\x21', ...common], read: (text) => parseProxyHeader(Buffer.from(text, 'latin1')) },
  { name: 'Host fields', most: command, words: ['a.b', '[::1]', ':80', ...common], read: readHostField },
];

/** One that fails does not keep the others from being asked. */
function quietly(one: () => unknown): unknown {
  try {
    return one();
  } catch (error) {
    if (error instanceof Error && 'kind' in error) return error;
    throw error;
  }
}

export const grammars: readonly Grammar[] = [...imapGrammars, ...mimeGrammars, ...otherGrammars];
