/** Connections that a front-end keeps from one login to the next: nothing of a session reaches the next, and whatever is not clean ends them. */
import assert from 'node:assert/strict';
import * as tls from 'node:tls';
import * as zlib from 'node:zlib';
import { after, before, test } from 'node:test';
import { newLegTerms, parseLegTerms } from '../../../shared/legs/leg-terms.ts';
import { Dialogue } from '../../harness/dialogue.ts';
import { messageAbout } from './conversation.ts';
import { certificates, deliver, password, startServer } from './harness.ts';
import type { TestServer } from './harness.ts';

let server: TestServer;

before(async () => {
  server = await startServer();
});
after(async () => server.stop());

const patienceMs = 10_000;

/** A front-end's end of a leg: bytes as they come. */
class Leg {
  readonly #socket: tls.TLSSocket;
  #received = Buffer.alloc(0);
  #over = false;
  #wake = (): void => undefined;

  private constructor(socket: tls.TLSSocket) {
    this.#socket = socket;
    const end = (): void => {
      this.#over = true;
      this.#wake();
    };
    socket.on('data', (bytes: Buffer) => {
      this.#received = Buffer.concat([this.#received, bytes]);
      this.#wake();
    }).on('end', end).on('close', end).on('error', end);
  }

  static async open(port = server.ports.trusted): Promise<Leg> {
    const own = certificates['fe1'];
    assert.ok(own !== undefined);
    const socket = tls.connect({ host: '127.0.0.1', port, cert: own.certificate, key: own.key, ca: own.authority, servername: 'localhost' });
    await new Promise<void>((resolve, reject) => {
      socket.once('secureConnect', resolve);
      socket.once('error', reject);
    });
    return new Leg(socket);
  }

  say(text: string): void {
    this.#socket.write(text, 'latin1');
  }

  /** Says it compressed (RFC 4978), in a stream of its own. */
  press(text: string): void {
    this.#socket.write(zlib.deflateRawSync(text, { finishFlush: zlib.constants.Z_SYNC_FLUSH }));
  }

  /** Takes everything up to and with what is found. */
  async until(found: string | Buffer): Promise<string> {
    await this.#when(() => this.#received.includes(found), `"${String(found)}"`);
    const end = this.#received.indexOf(found) + Buffer.byteLength(found);
    const text = this.#received.toString('latin1', 0, end);
    this.#received = this.#received.subarray(end);
    return text;
  }

  /** Waits for the end; answers what came before it and was not taken. */
  async closed(): Promise<string> {
    await this.#when(() => this.#over, 'the end');
    return this.#received.toString('latin1');
  }

  cut(): void {
    this.#socket.destroy();
  }

  async #when(condition: () => boolean, wanted: string): Promise<void> {
    let late = false;
    const timer = setTimeout(() => {
      late = true;
      this.#wake();
    }, patienceMs);
    while (!condition()) {
      if (late || this.#over) assert.fail(`closed or too late, wanted ${wanted}, got ${JSON.stringify(this.#received.toString('latin1'))}`);
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
    clearTimeout(timer);
  }
}

const base64 = (text: string): string => Buffer.from(text).toString('base64');

function login(user: string, terms: string | undefined): string {
  const leg = terms === undefined ? '' : ` "x-leg-terms" "${terms}"`;
  return `F1 ID ("x-originating-ip" "192.0.2.7" "x-originating-port" "40000" "x-session-id" "${user}1"${leg})\r\nF2 AUTHENTICATE EXTERNAL ${base64(`${user}@example.com`)}\r\n`;
}

function both(terms: string): { readonly release: Buffer; readonly claim: string } {
  const parsed = parseLegTerms(terms);
  assert.ok(parsed !== undefined);
  return parsed;
}

/** A leg on which a user has logged out; answers with the claim for the next. */
async function released(user: string, commands = ''): Promise<{ readonly leg: Leg; readonly claim: string }> {
  const leg = await Leg.open();
  const terms = newLegTerms();
  const { release, claim } = both(terms);
  leg.say(login(user, terms));
  await leg.until('logged in\r\n');
  leg.say(`${commands}z LOGOUT\r\n`);
  await leg.until('z OK LOGOUT completed\r\n');
  assert.equal(await leg.until(release), release.toString('latin1'), 'the release stands right behind the last words');
  return { leg, claim };
}

test('The next login on a leg gets a session of its own: no mailbox, no extension, no news and no words of the one before.', async () => {
  const { leg, claim } = await released('ann', 'a CREATE private\r\nb ENABLE QRESYNC IMAP4rev2\r\nc SELECT INBOX\r\nd SEARCH RETURN (SAVE) ALL\r\n');
  await deliver({ storage: server.storage, address: 'ann@example.com', mailbox: 'INBOX' }, messageAbout('for ann'));
  leg.say(`${claim}\r\n${login('ben', newLegTerms())}`);
  const welcome = await leg.until('logged in\r\n');
  assert.match(welcome, /^\* OK \[CAPABILITY [^\r]*\] IMAP ready\r\n\* ID [^\r]*\r\nF1 OK [^\r]*\r\nF2 OK \[CAPABILITY [^\r]*\] logged in\r\n$/, 'nothing else has come since the release');
  leg.say('a FETCH 1 FLAGS\r\nb LIST "" *\r\nc CREATE "Entw&APw-rfe"\r\nd LIST "" Ent*\r\ne SELECT INBOX\r\nf FETCH $ UID\r\ng NOOP\r\n');
  assert.match(await leg.until('a BAD'), /^a BAD$/);
  assert.doesNotMatch(await leg.until('b OK'), /private/);
  await leg.until('d OK');
  assert.notEqual((await server.storage.createAccount('ben@example.com')).mailbox('Entwürfe'), undefined, 'names travel as before ENABLE');
  assert.match(await leg.until('e OK'), /\* 0 EXISTS/);
  assert.doesNotMatch(await leg.until('g OK'), /\* .*FETCH|VANISHED/);
  leg.cut();
});

test('A leg serves many sessions, one after the other, and ends with the last that asks for its end.', async () => {
  const { leg, claim: first } = await released('many0');
  let claim = first;
  for (let turn = 1; turn < 30; turn += 1) {
    const terms = newLegTerms();
    leg.say(`${claim}\r\n${login(`many${String(turn)}`, terms)}`);
    await leg.until('logged in\r\n');
    leg.say('a SELECT INBOX\r\nz LOGOUT\r\n');
    await leg.until(both(terms).release);
    ({ claim } = both(terms));
  }
  leg.say(`${claim}\r\n${login('last', undefined)}`);
  await leg.until('logged in\r\n');
  leg.say('z LOGOUT\r\n');
  assert.match(await leg.closed(), /^\* BYE goodbye\r\nz OK LOGOUT completed\r\n$/);
});

test('What a client says behind its LOGOUT is never taken for a login of the front-end, whenever it comes.', async () => {
  const forged = `${login('victim', undefined)}F3 CREATE stolen\r\n`;
  const together = await Leg.open();
  together.say(login('eve', newLegTerms()));
  await together.until('logged in\r\n');
  together.say(`z LOGOUT\r\n${forged}`);
  assert.match(await together.closed(), /^\* BYE goodbye\r\nz OK LOGOUT completed\r\n$/);
  const guess = newLegTerms().slice(32);
  for (const late of [forged, `\r\n${forged}`, `${guess}\r\n${forged}`, 'x']) {
    const { leg, claim } = await released('eve');
    leg.say(late);
    leg.say(`${claim}\r\n${login('ben', undefined)}`);
    assert.equal(await leg.closed(), '', 'not a word');
  }
  assert.equal((await server.storage.createAccount('victim@example.com')).mailbox('stolen'), undefined);
});

test('A session that ends in any other way than by its LOGOUT ends the leg.', async () => {
  const early = await Leg.open();
  early.say(`F1 ID ("x-originating-ip" "192.0.2.7" "x-session-id" "early" "x-leg-terms" "${newLegTerms()}")\r\nz LOGOUT\r\n`);
  assert.match(await early.closed(), /z OK LOGOUT completed\r\n$/);
  const wrong = await Leg.open();
  wrong.say(login('wrong', newLegTerms()));
  await wrong.until('logged in\r\n');
  wrong.say('a b\r\n'.repeat(11));
  assert.match(await wrong.closed(), /\* BYE too many errors\r\n$/);
  const malformed = await Leg.open();
  malformed.say(login('malformed', newLegTerms().slice(1)));
  await malformed.until('logged in\r\n');
  malformed.say('z LOGOUT\r\n');
  assert.match(await malformed.closed(), /z OK LOGOUT completed\r\n$/);
});

test('A session that was compressed ends the leg, and lets no session begin anew on it.', async () => {
  const compressed = await Leg.open();
  const terms = newLegTerms();
  compressed.say(login('pressed', terms));
  await compressed.until('logged in\r\n');
  compressed.say('a COMPRESS DEFLATE\r\n');
  await compressed.until('a OK DEFLATE active\r\n');
  compressed.press('z LOGOUT\r\n');
  const rest = await compressed.closed();
  assert.equal(zlib.inflateRawSync(Buffer.from(rest, 'latin1')).toString(), '* BYE goodbye\r\nz OK LOGOUT completed\r\n', 'no release behind it');
  const own = await Leg.open();
  own.say(`F1 AUTHENTICATE EXTERNAL ${base64('own@example.com')}\r\na COMPRESS DEFLATE\r\n`);
  await own.until('a OK DEFLATE active\r\n');
  own.press('b CAPABILITY\r\nc UNAUTHENTICATE\r\nd LOGOUT\r\n');
  const said = zlib.inflateRawSync(Buffer.from(await own.closed(), 'latin1')).toString();
  assert.match(said, /^\* CAPABILITY (?![^\r]*UNAUTHENTICATE)[^\r]*\r\nb OK [^\r]*\r\nc BAD unknown command UNAUTHENTICATE\r\n/);
});

test('Nobody but a front-end gets a connection back: not with the right words on another listener, nor by ID after login.', async () => {
  const stranger = await Dialogue.connect({ port: server.ports.tls, tls: 'implicit' });
  stranger.sayRaw(`F1 ID ("x-leg-terms" "${newLegTerms()}")\r\nF2 LOGIN stranger@example.com "${password}"\r\nF3 LOGOUT\r\n`);
  await stranger.until(/^F3 OK/);
  await stranger.closed();
  const joined = await Leg.open();
  joined.say(login('joined', undefined));
  await joined.until('logged in\r\n');
  joined.say(`a ID ("x-leg-terms" "${newLegTerms()}")\r\nz LOGOUT\r\n`);
  assert.match(await joined.closed(), /a OK ID completed\r\n\* BYE goodbye\r\nz OK LOGOUT completed\r\n$/);
});

test('UNAUTHENTICATE is for front-ends that speak for themselves, and leaves nothing of the session.', async () => {
  const leg = await Leg.open();
  assert.match(await leg.until('IMAP ready\r\n'), / UNAUTHENTICATE/);
  leg.say(`F1 AUTHENTICATE EXTERNAL ${base64('ann@example.com')}\r\n`);
  assert.match(await leg.until('logged in\r\n'), / UNAUTHENTICATE/);
  leg.say(`a ENABLE IMAP4rev2 QRESYNC\r\nb SELECT INBOX\r\nc UNAUTHENTICATE\r\nd AUTHENTICATE EXTERNAL ${base64('carl@example.com')}\r\ne FETCH 1 UID\r\nf CREATE "Entw&APw-rfe"\r\ng LIST "" Ent*\r\n`);
  await leg.until('c OK UNAUTHENTICATE completed\r\n');
  assert.match(await leg.until('logged in\r\n'), /^d OK \[CAPABILITY [^\r]*\] logged in\r\n$/, 'no greeting');
  await leg.until('e BAD');
  await leg.until('g OK');
  assert.notEqual((await server.storage.createAccount('carl@example.com')).mailbox('Entwürfe'), undefined);
  leg.say(`h UNAUTHENTICATE\r\n${login('dora', undefined)}i UNAUTHENTICATE\r\nj CAPABILITY\r\n`);
  assert.match(await leg.until('logged in\r\n'), /^ [^]*h OK UNAUTHENTICATE completed/);
  assert.match(await leg.until('j OK'), /^i BAD unknown command UNAUTHENTICATE\r\n\* CAPABILITY (?![^\r]*UNAUTHENTICATE)/);
  leg.say('k UNAUTHENTICATE x\r\n');
  await leg.until('k BAD');
  leg.cut();
  const stranger = await Dialogue.connect({ port: server.ports.tls, tls: 'implicit' });
  stranger.say(`a LOGIN stranger@example.com "${password}"`);
  assert.doesNotMatch(String(await stranger.until(/^a OK.*/)), /UNAUTHENTICATE/);
  stranger.say('b UNAUTHENTICATE');
  await stranger.expect(/^b BAD/);
  stranger.close();
});

test('A service that ends says nothing on legs at rest, closes them, and lets no more come to it.', async (t) => {
  const short = await startServer();
  t.after(async () => short.stop());
  const openLeg = async (user: string): Promise<{ readonly leg: Leg; readonly terms: string }> => {
    const leg = await Leg.open(short.ports.trusted);
    const terms = newLegTerms();
    leg.say(login(user, terms));
    await leg.until('logged in\r\n');
    return { leg, terms };
  };
  const [resting, busy] = [await openLeg('resting'), await openLeg('busy')];
  resting.leg.say('z LOGOUT\r\n');
  await resting.leg.until(both(resting.terms).release);
  const retired = short.service.retire();
  assert.equal(await resting.leg.closed(), '');
  busy.leg.say('z LOGOUT\r\n');
  assert.match(await busy.leg.closed(), /^\* BYE goodbye\r\nz OK LOGOUT completed\r\n$/);
  await retired;
});
