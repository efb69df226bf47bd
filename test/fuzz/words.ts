/**
 * What strangers may send before a login, by protocol: pieces of the grammar, whole and broken, between arbitrary bytes. Each is
 * an arbitrary list of segments, which go over the wire one by one.
 */
import fc from 'fast-check';

export type Segments = readonly Buffer[];

const garbage = fc.uint8Array({ maxLength: 60 }).map((bytes) => Buffer.from(bytes));
/** Long enough for every limit on lines. */
const run = fc.tuple(fc.constantFrom('x', ' ', '(', '"', '=', '\0', '\r', '{1+}\r\n'), fc.constantFrom(10, 300, 5000, 20_000)).map(([text, count]) => Buffer.from(text.repeat(count)));
const base64 = fc.uint8Array({ maxLength: 80 }).map((bytes) => Buffer.from(bytes).toString('base64'));

/** Messages of SASL mechanisms, right and wrong. */
const saslPieces = [
  '\0', 'alice', 'alice@example.com', 'n,,n=alice,r=abc', 'n,a=bob,n=alice,r=abc', 'y,,n=al=2Cice,r=', 'p=tls-exporter,,n=alice,r=x', 'c=biws,r=', 'c=eSws,r=abc,p=AAAA',
  ',p=', 'm=ext,', 'n,a=alice@example.com,', '\x01', 'host=x\x01port=143\x01', 'auth=Bearer ', 'eyJhbGciOiJSUzI1NiJ9', '.', 'eyJhbGciOiJub25lIn0.e30.', 'user=alice\x01', '\xff\xfe', '=2C=3D=', '\u00fc',
];
const saslMessage = fc.array(fc.oneof(fc.constantFrom(...saslPieces), fc.string({ maxLength: 12 })), { maxLength: 8 }).map((pieces) => Buffer.from(pieces.join('')).toString('base64'));
const mechanism = fc.constantFrom('PLAIN', 'LOGIN', 'SCRAM-SHA-256', 'SCRAM-SHA-1', 'SCRAM-SHA-256-PLUS', 'OAUTHBEARER', 'XOAUTH2', 'EXTERNAL', 'X');

/** Any pieces in any order, cut into segments anywhere. */
export function mixed(pieces: readonly string[]): fc.Arbitrary<Segments> {
  const piece = fc.oneof({ weight: 8, arbitrary: fc.constantFrom(...pieces).map((text) => Buffer.from(text, 'latin1')) }, { weight: 2, arbitrary: garbage }, { weight: 1, arbitrary: run }, { weight: 1, arbitrary: base64.map((text) => Buffer.from(text)) });
  return cut(fc.array(piece, { minLength: 1, maxLength: 25 }).map((all) => Buffer.concat(all)));
}

/** Cut at up to five places. */
function cut(bytes: fc.Arbitrary<Buffer>): fc.Arbitrary<Segments> {
  return fc.tuple(bytes, fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { maxLength: 5 })).map(([all, places]) => {
    const ends = [...places.map((place) => Math.floor(place * all.length)), all.length].toSorted((one, other) => one - other);
    return ends.map((end, index) => all.subarray(ends[index - 1] ?? 0, end)).filter((segment) => segment.length > 0);
  });
}

function exchange(begin: (name: string) => string): fc.Arbitrary<Segments> {
  const response = fc.oneof({ weight: 6, arbitrary: saslMessage }, base64, fc.constantFrom('', '*', '=', '!'));
  return cut(fc.tuple(mechanism, fc.option(response, { nil: undefined }), fc.array(response, { maxLength: 4 })).map(([name, initial, responses]) =>
    Buffer.from(`${begin(name)}${initial === undefined ? '' : ` ${initial}`}\r\n${responses.map((text) => `${text}\r\n`).join('')}`)));
}

const imapPieces = [
  'a ', 'a LOGIN ', 'a AUTHENTICATE PLAIN', 'a ID (', 'a ID NIL\r\n', 'a CAPABILITY\r\n', 'a NOOP\r\n', 'a UID ', 'a SELECT INBOX\r\n', 'a APPEND INBOX {5}\r\n', '{5}\r\n', '{5+}\r\n', '~{3+}\r\n', '{0+}\r\n', '{8192+}\r\n',
  '{999999999999+}\r\n', '{99999999999999999999}\r\n', '{-1}\r\n', '"', '\\', '"x-originating-ip" "', '"x-proxy-ttl" "-1"', '(', ')', 'NIL', ' ', '\r\n', '\n', '\r', '\0', '*\r\n', '+ ', '=', 'alice', '\xc3\x28', '\xf0\x9f\x92\xa9', '* BYE\r\n', '%', ']',
];
const pop3Pieces = [
  'CAPA\r\n', 'UTF8\r\n', 'UTF8 ', 'LANG\r\n', 'LANG ', 'LANG de\r\n', 'LANG *\r\n', 'USER ', 'USER alice\r\n', 'PASS ', 'PASS \0\r\n', 'AUTH\r\n', 'AUTH PLAIN', 'AUTH SCRAM-SHA-256 ', 'XCLIENT ', 'ADDR=', 'ADDR=::1 ', 'PORT=99999999 ', 'SESSION=', 'TTL=', 'TTL=-1', 'TTL=999', 'APOP x y\r\n', 'RETR 1\r\n', 'STAT\r\n',
  ' ', '\r\n', '\n', '\r', '\0', '*\r\n', '=\r\n', '\xff', 'quit', '.\r\n', '-ERR\r\n',
];
const smtpPieces = [
  'EHLO c\r\n', 'HELO c\r\n', 'LHLO c\r\n', 'NOOP\r\n', 'RSET\r\n', 'VRFY x\r\n', 'STARTTLS now\r\n', 'MAIL FROM:<s@example.net>\r\n', 'MAIL FROM:<>', 'MAIL FROM:<@a,@b:c@d> ', ' SIZE=99999999999999999999', ' BODY=BINARYMIME', ' SMTPUTF8', ' RET=FULL', ' ENVID=+0D+0A',
  'RCPT TO:<alice@example.com>\r\n', 'RCPT TO:<nobody@example.com>\r\n', 'RCPT TO:<r@example.net>\r\n', 'RCPT TO:<"a b"@[IPv6:::1]>', ' NOTIFY=NEVER,SUCCESS', ' ORCPT=;', '\r\n', '\n', '\r', '\0', 'DATA\r\n', 'BDAT 0 LAST\r\n', 'BDAT 5\r\n', 'BDAT 7000 LAST\r\n',
  'BDAT 99999999999999\r\n', '.\r\n', '\r\n.\r\n', '\n.\n', '*\r\n', '=\r\n', 'AUTH PLAIN\r\n', 'AUTH LOGIN\r\n', 'XCLIENT ADDR=1.2.3.4 LOGIN=root\r\n', 'GET / HTTP/1.1\r\n', 'Subject: x\r\n', '\xff', '\xe2\x80\x8b',
];
const httpPieces = [
  'GET / HTTP/1.1\r\n', 'POST /api/sign-in HTTP/1.1\r\n', 'POST /api/v1/session HTTP/1.1\r\n', 'POST /node/join HTTP/1.1\r\n', 'Authorization: Basic YWxpY2U6eA==\r\n', 'Authorization: Bearer ', 'POST /api/sign-out HTTP/1.1\r\n', 'GET /api/session HTTP/1.1\r\n', 'GET /api/events HTTP/1.1\r\n', 'Waybill-Request: user\r\n', 'Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Version: 13\r\n', 'GET /api/mailboxes HTTP/1.1\r\n', 'PRI * HTTP/2.0\r\n', 'CONNECT x:1 HTTP/1.1\r\n', 'GET http://be1/ HTTP/1.1\r\n', 'GET //../../etc/passwd HTTP/1.1\r\n', 'GET /%00%2e%2e%2f HTTP/1.1\r\n', 'Host: localhost\r\n', 'Host: ', 'Host:\r\n',
  'Content-Length: 5\r\n', 'Content-Length: -1\r\n', 'Content-Length: 99999999999\r\n', 'Transfer-Encoding: chunked\r\n', 'Transfer-Encoding: x, chunked\r\n', '5\r\nabcde\r\n0\r\n\r\n', 'fffffffff\r\n', 'Expect: 100-continue\r\n', 'Upgrade: websocket\r\nConnection: Upgrade\r\n', 'Cookie: waybill=', 'Cookie: ', 'Connection: close\r\n',
  'Content-Type: application/json\r\n', '{"name":"alice","password":', '{}', '[[[[', 'X-Forwarded-For: ', ': \r\n', ' folded\r\n', '\r\n', '\r\n\r\n', '\n', '\0', '\xff',
];

/** A client's BER, whole; fuzzing breaks it. */
const ldapMessages = [
  '300c020101600702010304008000', '3025020102632004000a01020a0100020100020100010100870b6f626a656374436c6173733000', '30050201034200', '3006020104500101',
  '302102010560 1c020103040f636e3d77617962696c6c2c64633d78800670617373'.replaceAll(' ', ''), '301d02010177188016312e332e362e312e342e312e313436362e3230303337',
].map((hex) => Buffer.from(hex, 'hex'));
const ldapPiece = fc.oneof(
  fc.constantFrom(...ldapMessages),
  fc.tuple(fc.constantFrom(...ldapMessages), fc.nat(60), fc.nat(255)).map(([message, at, byte]) => Buffer.from(message.map((old, index) => (index === at % message.length ? byte : old)))),
  fc.tuple(fc.constantFrom(...ldapMessages), fc.nat(40)).map(([message, length]) => message.subarray(0, length)),
  fc.constantFrom('3084ffffffff', '30847fffffff020101', '3080', '308900000000000000000a', '30820400020101'.padEnd(400, '30'), '30').map((hex) => Buffer.from(hex, 'hex')),
  garbage,
);

const proxyPieces = [
  'PROXY TCP4 192.0.2.1 192.0.2.2 1 2\r\n', 'PROXY TCP6 ::1 ::2 1 2\r\n', 'PROXY UNKNOWN\r\n', 'PROXY ', 'TCP4 ', '999.1.1.1 ', '192.0.2.1 ', '99999999 ', '\r\n', '\r\n\r\n\0\r\nQUIT\n', '\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c\x7f\0\0\x01\x7f\0\0\x01\0\x01\0\x02',
  '\x21', '\x20', '\x11\0\x0c', '\x21\xff\xff', '\0\0', 'a NOOP\r\n', 'GET / HTTP/1.1\r\n\r\n', '\x16\x03\x01',
];
const tlsPieces = ['\x16\x03\x01\x02\0\x01\0\x01\xfc\x03\x03', '\x16\x03\x01', '\x16\x03\x03\0\x05hello', '\x15\x03\x01\0\x02\x02\x28', '\x17\x03\x03\xff\xff', '\x80\x2e\x01\0\x02', '\x14\x03\x03\0\x01\x01', 'GET / HTTP/1.1\r\n\r\n', '\0'];

export const words = {
  imap: fc.oneof(mixed(imapPieces), exchange((name) => `a AUTHENTICATE ${name}`)),
  pop3: fc.oneof(mixed(pop3Pieces), exchange((name) => `AUTH ${name}`)),
  smtp: fc.oneof(mixed(smtpPieces), exchange((name) => `EHLO c\r\nAUTH ${name}`)),
  http: mixed(httpPieces),
  ldap: cut(fc.array(ldapPiece, { minLength: 1, maxLength: 8 }).map((pieces) => Buffer.concat(pieces))),
  proxy: mixed(proxyPieces),
  tls: mixed(tlsPieces),
} as const;
