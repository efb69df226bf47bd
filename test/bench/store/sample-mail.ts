/** Mail that looks like people's: several forms, conversations, senders that come again. The same number is always the same message. */
import { Dice } from '../../torture/dice.ts';

/** Stands in the body of one message in 500, and nowhere else. */
export const rareWord = 'zebrafinch';
const rareEvery = 500;
/** Stands in the subject of one conversation in twenty. */
export const subjectWord = 'Quarterly';
/** Wrote one message in fifty. */
export const senderWord = 'harriet.vane';
const conversation = 5;
const words = ('about after again all also always answer ask because before better board book change city clear come could customer day decide delivery different draft early email every figure find first follow '
  + 'from garden give good group have house idea invoice keep know later letter list little long look make many meeting might money month morning much need never next number office often once only order other '
  + 'paper people place plan point price question quite read really report right same second see send several should since small some soon still street sure talk thank thing think time today together tomorrow '
  + 'under until update use very wait want water week well what when where which while work world would write year').split(' ');
const people = ['ada.lovelace', 'bertrand.russell', senderWord, 'peter.wimsey', 'miss.marple', 'john.watson', 'irene.adler', 'mycroft', 'philip.marlowe', 'nora.charles'];
const firstDayMs = Date.UTC(2024, 0, 1);

/** About so many bytes. */
export function sampleMail(number: number, bytes = 4096): Buffer {
  const dice = new Dice(number + 1);
  const topic = new Dice(Math.floor(number / conversation) + 7_000_000);
  const subject = `${topic.oneIn(20) ? `${subjectWord} ` : ''}${sentence(topic, 4)}${topic.oneIn(10) ? ' =?utf-8?q?f=C3=BCr_M=C3=A4rz?=' : ''}`;
  const first = number - (number % conversation);
  const before = Array.from({ length: number - first }, (_, index) => idOf(first + index));
  const head = [
    'Return-Path: <sender@example.net>', 'Received: from mail.example.net (mail.example.net [192.0.2.7]) by mx.example.com with ESMTPS id 4711', `Message-ID: ${idOf(number)}`,
    `Date: ${new Date(firstDayMs + number * 61_000).toUTCString().replace('GMT', '+0000')}`, `From: ${sender(dice)}`, 'To: Somebody <somebody@example.com>',
    ...(dice.oneIn(3) ? [`Cc: ${sender(dice)}, ${sender(dice)}`] : []), `Subject: ${before.length > 0 ? 'Re: ' : ''}${subject}`,
    ...(before.length > 0 ? [`In-Reply-To: ${before.at(-1) ?? ''}`, `References: ${before.join(' ')}`] : []), 'MIME-Version: 1.0', 'X-Mailer: Sample 1.0',
  ].join('\r\n');
  const text = prose(dice, { bytes: bytes - head.length - 300, rare: number % rareEvery === rareEvery - 1 });
  return Buffer.from(`${head}\r\n${bodyOf(dice, text)}`, 'latin1');
}

/** How many of the first so many messages have the rare word. */
export function rareAmong(count: number): number {
  return Math.floor(count / rareEvery);
}

function idOf(number: number): string {
  return `<${String(number)}.sample@example.net>`;
}

function sender(dice: Dice): string {
  const name = dice.oneIn(5) ? dice.pick(people) : `${dice.pick(words)}.${dice.pick(words)}`;
  return `"${name.replace('.', ' ')}" <${name}@example.${dice.oneIn(2) ? 'net' : 'org'}>`;
}

function sentence(dice: Dice, count: number): string {
  return Array.from({ length: count }, () => dice.pick(words)).join(' ');
}

function prose(dice: Dice, { bytes, rare }: { readonly bytes: number; readonly rare: boolean }): string {
  const lines: string[] = rare ? [`Have you seen the ${rareWord} lately?`] : [];
  for (let length = lines.join('').length; length < bytes;) {
    const line = sentence(dice, 11);
    lines.push(line);
    length += line.length + 2;
  }
  return `${lines.join('\r\n')}\r\n`;
}

/** Two in five are plain text, two in five have a form in HTML too, the others an attachment. */
function bodyOf(dice: Dice, text: string): string {
  const form = dice.below(5);
  if (form < 2) return `Content-Type: text/plain; charset=utf-8\r\n\r\n${text}`;
  const half = text.lastIndexOf('\r\n', text.length / 2) + 2;
  const other = text.slice(half);
  const [kind, second] = form < 4
    ? ['alternative', `Content-Type: text/html; charset=utf-8\r\n\r\n<html><body><p>${other}</p></body></html>\r\n`]
    : ['mixed', `Content-Type: application/pdf; name="plan.pdf"\r\nContent-Disposition: attachment; filename="plan.pdf"\r\nContent-Transfer-Encoding: base64\r\n\r\n${base64Lines(other)}\r\n`];
  return `Content-Type: multipart/${kind}; boundary="=_part"\r\n\r\n--=_part\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n${text.slice(0, half)}--=_part\r\n${second}--=_part--\r\n`;
}

/** Keeps its size: what is encoded is as much shorter. */
function base64Lines(text: string): string {
  return (Buffer.from(text.slice(0, (text.length * 3) / 4), 'latin1').toString('base64').match(/.{1,76}/g) ?? []).join('\r\n');
}
