/** APPEND with CATENATE (RFC 4469): a message made of the head of one that is there, and the body of another, by URLs (RFC 5092) or as text. */
import assert from 'node:assert/strict';
import { flagsOf } from './acts.ts';
import type { Act } from './acts.ts';
import { arrivalOf, joined, letterOf } from './letters.ts';
import type { Letter } from './letters.ts';
import { borne, checkUids, expectKeywords, whyNotInto } from './message-acts.ts';
import type { Player } from './player.ts';
import type { Spot } from './rights-model.ts';
import type { Stage } from './stage.ts';

/** A message by its URL, and what it is; undefined: it leads nowhere, or to what the client may not read. */
interface Linked {
  readonly url: string;
  readonly letter: Letter | undefined;
}

/** Twice, from other messages. */
export async function catenate(stage: Stage, player: Player, act: Act): Promise<void> {
  for (const factor of [1, 7]) await catenateOnce(stage, player, { ...act, b: act.b * factor, c: act.c * factor + factor });
}

async function catenateOnce(stage: Stage, player: Player, act: Act): Promise<void> {
  // A URL of what another node keeps leads nowhere, and commands on it are for that node to understand.
  const spotOf = (number: number): Spot => stage.spot(player, player.home === 'on another node' ? 0 : number);
  // A guest's often goes to his own INBOX, lest the right to append is what most of them lack.
  const target = spotOf(player.home !== 'owner' && act.a % 2 === 0 ? 0 : act.a);
  const [top, below] = [linkTo(spotOf(act.b), act.c), linkTo(spotOf(act.c), act.b)];
  const flags = flagsOf(act.b);
  const { said, letter, broken } = composed(top, below, act);
  const more = act.c % 4 === 0 ? [letterOf(act.a)] : [];
  const letters = [...(letter === undefined ? [] : [letter]), ...more];
  const why = whyNotInto(target, []) ?? (broken === undefined ? whyNotInto(target, letters) : `BADURL ${broken}`);
  const arrival = arrivalOf(letter ?? letterOf(act.b));
  const { mailbox } = target;
  const { code } = await expectKeywords(stage, player, {
    text: `APPEND ${target.text} (${flags.join(' ')}) ${arrival} CATENATE (${said})${more.map((one) => ` (${flags.join(' ')}) ${arrivalOf(one)} {${String(one.text.length)}+}\r\n${one.text}`).join('')}`,
    status: why === undefined ? 'OK' : 'NO',
    effects: mailbox === undefined || why !== undefined ? [] : [{ mailbox, added: letters.map((one) => ({ letter: one, flags: borne(target, flags) })) }],
  });
  // What comes before the broken URL may be too much already.
  const isFull = broken !== undefined && code === 'OVERQUOTA' && !target.account.hasRoomFor([top.letter ?? letterOf(act.b)]);
  if (mailbox === undefined || why !== undefined) assert.equal(code, isFull ? 'OVERQUOTA' : why);
  else if (target.rights.includes('r')) checkUids(code, 'APPENDUID', { mailbox, count: letters.length });
  else assert.equal(code, undefined, 'who may not read learns no uids');
}

/** Mostly of a message that is there. */
function linkTo({ text, mailbox, rights }: Spot, number: number): Linked {
  const path = text.replaceAll('"', '').split('/').map(encodeURIComponent).join('/');
  const { messages = [], uidValidity = 1, uidNext = 1 } = mailbox ?? {};
  const message = number % 8 === 0 ? undefined : messages[(number >> 3) % Math.max(1, messages.length)];
  const validity = { 1: uidValidity - 1, 2: uidValidity, 3: uidValidity }[number % 8];
  const isOld = validity !== undefined && validity !== uidValidity;
  return { url: `/${path}${validity === undefined ? '' : `;UIDVALIDITY=${String(validity)}`}/;UID=${String(message?.uid ?? uidNext)}`, letter: rights.includes('r') && !isOld ? message?.letter : undefined };
}

interface Composed {
  /** Between the brackets of CATENATE. */
  readonly said: string;
  readonly letter: Letter | undefined;
  /** The first URL that leads nowhere. */
  readonly broken: string | undefined;
}

function composed(top: Linked, below: Linked, { a }: Act): Composed {
  const { letter: head } = top;
  const whole: Composed = { said: `URL "${top.url}"`, letter: head === undefined ? undefined : { ...head }, broken: head === undefined ? top.url : undefined };
  if (a % 4 === 0 || head === undefined) return whole;
  const first = `URL "${top.url}/;SECTION=HEADER"`;
  const body = below.letter;
  if (a % 4 === 1 && body === undefined) return { said: `${first} URL "${below.url}/;SECTION=TEXT"`, letter: undefined, broken: `${below.url}/;SECTION=TEXT` };
  const other = body?.encoding === head.encoding ? body : head;
  const letter = joined(head, other);
  if (a % 4 === 1 && other === body) return { said: `${first} URL "${below.url}/;SECTION=TEXT"`, letter, broken: undefined };
  const half = Math.floor(other.coded.length / 2);
  const text = (part: string): string => `TEXT {${String(part.length)}+}\r\n${part}`;
  return { said: `${first} ${text(other.coded.slice(0, half))} ${text(other.coded.slice(half))}`, letter, broken: undefined };
}
