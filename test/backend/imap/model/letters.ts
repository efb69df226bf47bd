/**
 * The messages that clients of the model append. What SORT, THREAD and SEARCH look at is known of each because it was written that way:
 * nothing is read out of the text again. There are few different ones of everything, so that many are alike.
 */
export interface Letter {
  readonly text: string;
  /** Up to the empty line, and what stands behind it. */
  readonly head: string;
  readonly coded: string;
  /** What the body says, decoded: octets as characters. */
  readonly body: string;
  readonly encoding: Encoding;
  /** Of no kind that can be shown where it is empty (RFC 8970). */
  readonly preview: string;
  /** Base subject (RFC 5256 section 2.1), as it is compared: in upper case, decomposed. */
  readonly base: string;
  readonly of: 'original' | 'reply-or-forward';
  /** What FROM, TO and CC compare, and what DISPLAYFROM does (RFC 5957). */
  readonly from: string;
  readonly to: string;
  readonly cc: string;
  readonly display: string;
  /** The moment of Date, or without one that of arrival. */
  readonly sentMs: number;
  readonly dated: 'yes' | 'no';
  readonly arrivedMs: number;
  /** Of no message where it has none. */
  readonly id: string | undefined;
  readonly references: readonly string[];
}

export type Encoding = 'none' | 'quoted-printable' | 'base64' | 'octets in base64';

interface Subject extends Pick<Letter, 'base' | 'of'> {
  readonly raw: string | undefined;
}

const subjects: readonly Subject[] = [
  { raw: 'Lunch', base: 'LUNCH', of: 'original' },
  { raw: 'Re: Lunch', base: 'LUNCH', of: 'reply-or-forward' },
  { raw: 'Fwd: [team] lunch', base: 'LUNCH', of: 'reply-or-forward' },
  { raw: '[team] Lunch (fwd)', base: 'LUNCH', of: 'reply-or-forward' },
  { raw: '[team]  lunch', base: 'LUNCH', of: 'original' },
  { raw: 're [2] : Dinner', base: 'DINNER', of: 'reply-or-forward' },
  { raw: 'Dinner', base: 'DINNER', of: 'original' },
  { raw: '=?utf-8?q?D=C3=ADnner?=', base: 'DI\u0301NNER', of: 'original' },
  { raw: '[fwd: dinner]', base: 'DINNER', of: 'reply-or-forward' },
  { raw: '[team]', base: '[TEAM]', of: 'original' },
  { raw: 'Re:', base: '', of: 'reply-or-forward' },
  { raw: undefined, base: '', of: 'original' },
];
const senders = [
  { raw: 'Ann <ann@example.org>', from: 'ANN', display: 'ANN' },
  { raw: '"Zoe B" <bob@example.org>', from: 'BOB', display: 'ZOE B' },
  { raw: 'carl@example.org', from: 'CARL', display: 'CARL@EXAMPLE.ORG' },
] as const;
const receivers = [{ raw: 'bob@example.com', to: 'BOB' }, { raw: 'Ann <eve@example.com>, x@example.com', to: 'EVE' }, { raw: undefined, to: '' }] as const;
const copied = [{ raw: undefined, cc: '' }, { raw: 'zed@example.com, ann@example.com', cc: 'ZED' }] as const;
const zones = [{ raw: '+0000', hours: 0 }, { raw: '+0300', hours: 3 }, { raw: '-0500', hours: -5 }] as const;
const encodings: readonly Encoding[] = ['none', 'none', 'none', 'quoted-printable', 'base64', 'octets in base64'];
/** Ids there are; others stand for messages that nobody has. */
const ids = 20;
const noDay = 5;

function pick<T>(list: readonly [T, ...T[]] | readonly T[], number: number): T {
  const one = list[Math.floor(number) % list.length];
  if (one === undefined) throw new Error('an empty list');
  return one;
}

function idOf(number: number): string {
  return `m${String(number % (ids + 6))}@example.org`;
}

/** @param number what differs from letter to letter */
export function letterOf(number: number): Letter {
  const { raw, ...subject } = pick(subjects, number);
  const { raw: sender, ...from } = pick(senders, number / 5);
  const { raw: receiver, ...to } = pick(receivers, number / 7);
  const { raw: others, ...cc } = pick(copied, number / 11);
  const arrivedMs = Date.UTC(2026, 1, 1 + (number % 6), 10);
  const day = Math.floor(number / 13) % (noDay + 1);
  const zone = pick(zones, number / 17);
  const sentMs = day === noDay ? arrivedMs : Date.UTC(2026, 0, 30 + day, 12 - zone.hours);
  const id = number % 10 === 0 ? undefined : `m${String(Math.floor(number / 3) % ids)}@example.org`;
  const references = [[], [idOf(number + 1)], [idOf(number * 7), idOf(number * 3)], [idOf(number), idOf(number + 5), idOf(number + 9)]][Math.floor(number / 2) % 4] ?? [];
  const fields = [
    ['From', sender], ['To', receiver], ['Cc', others], ['Subject', raw], ['Date', day === noDay ? undefined : dateField(sentMs, zone)],
    ['Message-ID', id === undefined ? undefined : `<${id}>`],
    [references.length === 1 && number % 3 === 0 ? 'In-Reply-To' : 'References', references.length === 0 ? undefined : references.map((one) => `<${one}>`).join(' ')],
  ] as const;
  const head = [...fields, ...fieldsOf(pick(encodings, number / 19))].flatMap(([name, value]) => (value === undefined ? [] : [`${name}: ${value}\r\n`])).join('');
  const written = bodyOf(pick(encodings, number / 19), number);
  return { ...written, head: `${head}\r\n`, text: `${head}\r\n${written.coded}`, ...subject, ...from, ...to, ...cc, sentMs, dated: day === noDay ? 'no' : 'yes', arrivedMs, id, references };
}

function fieldsOf(encoding: Encoding): readonly (readonly [string, string])[] {
  if (encoding === 'none') return [];
  return [['MIME-Version', '1.0'], ['Content-Transfer-Encoding', encoding.split(' ').at(-1) ?? ''], ...(encoding === 'octets in base64' ? [['Content-Type', 'application/octet-stream']] as const : [])];
}

function bodyOf(encoding: Encoding, number: number): Pick<Letter, 'coded' | 'body' | 'encoding' | 'preview'> {
  const said = `Body of ${String(number)}${' longer'.repeat(number % 5)}.`;
  const body = encoding === 'octets in base64' ? `\0\u0001${String(number)}\0` : `${said}\r\n`;
  const coded = { 'none': body, 'quoted-printable': body.replace('of', '=6Ff'), 'base64': base64(body), 'octets in base64': base64(body) }[encoding];
  return { coded, body, encoding, preview: encoding === 'octets in base64' ? '' : said };
}

function base64(octets: string): string {
  return `${Buffer.from(octets, 'latin1').toString('base64')}\r\n`;
}

/** A message that bears the head of one, and the body of another that is written alike. */
export function joined(head: Letter, { coded, body, encoding, preview, arrivedMs }: Letter): Letter {
  if (head.encoding !== encoding) throw new Error('a body in another encoding');
  return { ...head, coded, body, preview, arrivedMs, sentMs: head.dated === 'yes' ? head.sentMs : arrivedMs, text: head.head + coded };
}

const months = ['Jan', 'Feb'] as const;

function dateField(ms: number, zone: { readonly raw: string; readonly hours: number }): string {
  const there = new Date(ms + zone.hours * 3_600_000);
  return `${String(there.getUTCDate())} ${pick(months, there.getUTCMonth())} 2026 ${String(there.getUTCHours()).padStart(2, '0')}:00:00 ${zone.raw}`;
}

/** The date-time argument of APPEND. */
export function arrivalOf({ arrivedMs }: Letter): string {
  const day = new Date(arrivedMs);
  return `"${String(day.getUTCDate()).padStart(2, '0')}-${pick(months, day.getUTCMonth())}-2026 ${String(day.getUTCHours()).padStart(2, '0')}:00:00 +0000"`;
}
