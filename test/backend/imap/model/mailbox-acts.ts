/** Acts on mailboxes, and on the session: the command, and what the model says must come of it. */
import assert from 'node:assert/strict';
import { otherThanInbox } from './acts.ts';
import type { Act } from './acts.ts';
import { bytesOf } from './mailbox-model.ts';
import type { ModelMailbox } from './mailbox-model.ts';
import { deletedIn, goneSince, onlyKeywords, viewOf } from './message-acts.ts';
import type { Player } from './player.ts';
import type { Response } from './responses.ts';
import { accessBy, refusal, rightsOf } from './rights-model.ts';
import type { Memory, Numbering } from './open-view.ts';
import type { SessionModel } from './session-model.ts';
import type { Stage } from './stage.ts';
import { withoutLateNews } from './unasked.ts';
import type { Counters, Watch } from './watch-model.ts';

/** Each belongs to one mailbox (RFC 6154 section 3). */
const usesToGive: readonly (readonly string[])[] = [[], [], [], [], ['\\Archive'], ['\\Sent']];

export async function create(stage: Stage, player: Player, act: Act): Promise<void> {
  const { text, name, mailbox, whose, account } = stage.spot(player, otherThanInbox(act.a));
  const above = account.above(name);
  const uses = usesToGive[act.c % usesToGive.length] ?? [];
  const isTaken = [...account.mailboxes.values()].some((one) => one.uses.some((use) => uses.includes(use)));
  const may = (whose === 'own' || (above !== undefined && rightsOf(above, player.address).includes('k'))) && (uses.length === 0 || (whose === 'own' && !isTaken));
  const { others } = await stage.run(player, {
    text: `CREATE ${text}${uses.length === 0 ? '' : ` (USE (${uses.join(' ')}))`}`, status: mailbox === undefined && may ? 'OK' : 'NO', names: mailbox === undefined && may ? [name] : [],
    then: () => {
      stage.account.learnMailboxes((made) => (made === name ? uses : []));
      const made = account.mailbox(name);
      if (mailbox !== undefined || !may || made === undefined || uses.length === 0) return;
      account.annotations.set(made, '/private/specialuse', uses.join(' ')); // RFC 6154 section 4
      player.model.annotations?.noteOwn(made, '/private/specialuse');
    },
  });
  onlyKeywords(others);
  stage.account.checkNames();
}

export async function rename(stage: Stage, player: Player, act: Act): Promise<void> {
  const [source, target] = [stage.spot(player, otherThanInbox(act.a)), stage.spot(player, otherThanInbox(act.b))];
  const { account, name: from, mailbox } = source;
  const to = target.name;
  if (from === 'INBOX' && source.whose === 'own') return; // its messages would move, as MOVE does
  const clashes = [...account.mailboxes.keys()].some((name) => (name === from || name.startsWith(`${from}/`)) && account.mailbox(to + name.slice(from.length)) !== undefined);
  const parent = account.above(to);
  const may = source.whose === 'own' || (from !== 'INBOX' && refusal(source, 'x') === undefined && parent !== undefined && rightsOf(parent, player.address).includes('k'));
  const possible = mailbox !== undefined && may && target.account === account && !clashes && !to.startsWith(`${from}/`);
  const above = to.slice(0, Math.max(0, to.lastIndexOf('/')));
  const madeAbove = above === '' || account.mailbox(above) !== undefined ? [] : [above];
  const text = `RENAME ${source.text} ${target.text}`;
  let others: readonly Response[] = [];
  let renewed: readonly ModelMailbox[] = [];
  if (mailbox !== undefined && possible) {
    // Before anybody is told: sessions in IDLE hear of it at once.
    ({ others } = await stage.run(player, { text, status: await statusOfRename(stage, { player, mailbox, to }), names: [to], oldName: from, madeAbove, then: () => {
      renewed = account.rename(mailbox, to);
      stage.doom(renewed);
      account.learnMailboxes();
    } }));
  } else ({ others } = await stage.run(player, { text, status: 'NO' }));
  const { watch, looking } = player.model;
  const owed = watch?.account === account ? watch.ofRenewed(renewed, looking) : new Map<string, Partial<Counters>>();
  const told = others.flatMap((one) => (one.kind === 'status' && owed.has(one.name) ? [[one.name, itemsTold(watch, one, owed.get(one.name))] as const] : []));
  assert.deepEqual(told.toSorted(), [...owed].toSorted());
  others = withoutLateNews(player.model, { text: 'NOOP' }, others.filter((one) => one.kind !== 'status' || !owed.has(one.name)));
  onlyKeywords(others);
  account.checkNames();
}

/** Beside what is owed it may name what was to be told before. */
function itemsTold(watch: Watch | undefined, response: Extract<Response, { kind: 'status' }>, owed: Partial<Counters> | undefined): Partial<Counters> {
  const items = [...response.items];
  return Object.fromEntries(watch?.mayHearLate(response) === true ? items.filter(([item]) => owed !== undefined && item in owed) : items);
}

/** One who has a mailbox open that gets another UIDVALIDITY by this is sent away: it leaves before, as nobody does that to himself. */
async function statusOfRename(stage: Stage, { player, mailbox, to }: { readonly player: Player; readonly mailbox: ModelMailbox; readonly to: string }): Promise<'OK'> {
  const { view } = player.model;
  const moves = view !== undefined && (view.mailbox === mailbox || view.mailbox.name.startsWith(`${mailbox.name}/`));
  if (moves && to !== '') await unselect(stage, player);
  return 'OK';
}

export async function remove(stage: Stage, player: Player, act: Act): Promise<void> {
  const spot = stage.spot(player, act.a);
  const { text, name, mailbox } = spot;
  const possible = mailbox !== undefined && name !== 'INBOX' && refusal(spot, 'x') === undefined;
  const isOpen = possible && player.model.view?.mailbox === mailbox;
  const { others } = await stage.run(player, {
    text: `DELETE ${text}`, status: possible ? 'OK' : 'NO', names: possible ? [name] : [],
    then: () => {
      if (!possible) return;
      stage.account.remove(mailbox);
      stage.doom([mailbox], player.model);
      if (isOpen) player.model.view = undefined;
    },
  });
  if (isOpen) assert.ok(others.some((one) => one.kind === 'code' && one.code === 'CLOSED'));
  else onlyKeywords(others);
  stage.account.checkNames();
}

export async function select(stage: Stage, player: Player, act: Act): Promise<void> {
  const { model } = player;
  const spot = stage.spot(player, act.a);
  const mailbox = refusal(spot, 'r') === undefined ? spot.mailbox : undefined;
  const verb = act.b % 4 === 0 ? 'EXAMINE' : 'SELECT';
  const access = verb === 'SELECT' ? accessBy(spot.rights) : 'read-only';
  const memory = model.qresync === 'on' ? model.memories.findLast((one) => one.mailbox.name === spot.name && one.mailbox.home === spot.account) : undefined;
  const how = howToSelect(model, { act, memory });
  const wasOpen = model.view !== undefined;
  const { others, code } = await stage.run(player, {
    text: `${verb} ${spot.text}${how.text}`, status: mailbox === undefined ? 'NO' : 'OK',
    then: () => {
      model.state = 'alive'; // whatever became of the one before
      if (mailbox === undefined) model.leave();
      else model.open(mailbox, access);
      if (how.enables) model.condstore = 'on'; // refused or not: the client has issued it (RFC 7162 section 3.1)
    },
  });
  assert.equal(others.some((one) => one.kind === 'code' && one.code === 'CLOSED'), wasOpen, 'CLOSED');
  if (mailbox === undefined) {
    assert.equal(code, refusal(spot, 'r'));
    return;
  }
  assert.equal(code, access.toUpperCase());
  const view = viewOf(model);
  view.recent.begin(view.uids, recentTold(others));
  checkAnnouncement(mailbox, { others, numbering: model.numbering });
  checkResync(model, { mailbox, others, memory: how.resyncs ? memory : undefined, knownUids: how.knownUids });
}

function recentTold(others: readonly Response[]): number {
  const [told, ...more] = others.flatMap((one) => (one.kind === 'recent' ? [one.number] : []));
  assert.ok(told !== undefined && more.length === 0, 'RECENT once');
  return told;
}

interface HowToSelect {
  readonly text: string;
  readonly enables: boolean;
  readonly resyncs: boolean;
  readonly knownUids: readonly number[] | undefined;
}

function howToSelect(model: SessionModel, { act, memory }: { readonly act: Act; readonly memory: Memory | undefined }): HowToSelect {
  if (memory !== undefined && act.c % 4 !== 0) {
    const knownUids = act.c % 2 === 0 && memory.uids.length > 0 ? memory.uids : undefined;
    const known = knownUids === undefined ? '' : ` ${knownUids.join(',')}`;
    return { text: ` (QRESYNC (${String(memory.uidValidity)} ${String(memory.modseq)}${known}))`, enables: true, resyncs: true, knownUids };
  }
  const condstore = act.c % 5 === 0 && model.qresync === 'off';
  return { text: condstore ? ' (CONDSTORE)' : '', enables: condstore, resyncs: false, knownUids: undefined };
}

function checkAnnouncement(mailbox: ModelMailbox, { others, numbering }: { readonly others: readonly Response[]; readonly numbering: Numbering }): void {
  const codes = new Map(others.flatMap((one): [string, string][] => (one.kind === 'code' ? [[one.code, one.value]] : [])));
  assert.deepEqual(others.flatMap((one) => (one.kind === 'exists' ? [one.number] : [])), [mailbox.messages.length]);
  const numbers = ['UIDVALIDITY', 'UIDNEXT', 'HIGHESTMODSEQ'].map((name) => Number(codes.get(name)));
  assert.deepEqual(numbers, [mailbox.uidValidity, mailbox.uidNext, mailbox.highestModseq], mailbox.name);
  mailbox.home.identities.checkMailbox(mailbox, codes.get('MAILBOXID'));
  const unseen = mailbox.messages.findIndex(({ flags }) => !flags.has('\\Seen')) + 1;
  assert.equal(codes.get('UNSEEN'), unseen === 0 || numbering === 'uids' ? undefined : String(unseen));
}

/** RFC 7162 section 3.2.5: what vanished and what changed since the client was there, of what it knows. */
function checkResync(model: SessionModel, { mailbox, others, memory, knownUids }: { readonly mailbox: ModelMailbox; readonly others: readonly Response[]; readonly memory: Memory | undefined; readonly knownUids: readonly number[] | undefined }): void {
  const counts = memory?.uidValidity === mailbox.uidValidity ? memory : undefined;
  const isKnown = (uid: number): boolean => knownUids?.includes(uid) ?? true;
  const vanished = others.flatMap((one) => (one.kind === 'vanished' ? [...one.uids] : []));
  assert.deepEqual(vanished, counts === undefined ? [] : goneSince(mailbox, counts.modseq).filter(isKnown));
  const changed = counts === undefined ? [] : mailbox.messages.filter(({ uid, modseq }) => modseq > counts.modseq && isKnown(uid)).map(({ uid }) => uid);
  const fetched = others.filter((one) => one.kind === 'fetch');
  assert.deepEqual(fetched.map((one) => (one.kind === 'fetch' ? one.uid : 0)), changed, `${mailbox.name}: changed since ${String(memory?.modseq)}`);
  model.take([...others.filter(({ kind }) => kind === 'flags'), ...fetched], { tells: 'everything', before: new Map(), others: 'still', own: new Set(), fetched: new Map(changed.map((uid) => [uid, ['uid', 'flags', 'modseq']])) });
}

export async function close(stage: Stage, player: Player): Promise<void> {
  const view = viewOf(player.model);
  const gone = view.access === 'read-write' && stage.rightsIn(player).includes('e') ? deletedIn(view, view.uids) : new Set<number>();
  const { others, code } = await stage.run(player, {
    text: 'CLOSE', status: 'OK', effects: gone.size === 0 ? [] : [{ mailbox: view.mailbox, gone }],
    then: () => player.model.leave(),
  });
  assert.deepEqual([beyondNews(player.model, others), code], [[], undefined]); // RFC 7162 section 3.2.8: no HIGHESTMODSEQ
}

export async function unselect(stage: Stage, player: Player): Promise<void> {
  const { others } = await stage.run(player, { text: 'UNSELECT', status: 'OK', then: () => player.model.leave() });
  assert.deepEqual(beyondNews(player.model, others), []);
}

/** Without what NOTIFY makes the client hear of the mailbox that it has left. */
function beyondNews({ watch, looking }: SessionModel, others: readonly Response[]): readonly Response[] {
  return others.filter((one) => watch?.hear(one, { ...looking, others: 'still' }) !== 'taken');
}

export async function status(stage: Stage, player: Player, act: Act): Promise<void> {
  const spot = stage.spot(player, act.a);
  const mailbox = refusal(spot, 'r') === undefined ? spot.mailbox : undefined;
  const asks = act.b % 3 === 0 ? ' HIGHESTMODSEQ' : '';
  const { others } = await stage.run(player, {
    text: `STATUS ${spot.text} (MESSAGES RECENT UIDNEXT UIDVALIDITY UNSEEN DELETED SIZE DELETED-STORAGE${asks} MAILBOXID)`, status: mailbox === undefined ? 'NO' : 'OK',
    then: () => {
      if (asks !== '') player.model.enableCondstore();
    },
  });
  const told = others.find((one) => one.kind === 'status');
  onlyKeywords(others.filter((one) => one !== told));
  if (mailbox === undefined) return;
  assert.ok(told?.kind === 'status' && told.name === spot.text.replaceAll('"', ''));
  const recent = told.items.get('RECENT') ?? assert.fail();
  checkRecent(player.model, mailbox, recent);
  mailbox.home.identities.checkMailbox(mailbox, told.mailboxId);
  const deleted = mailbox.messages.filter(({ flags }) => flags.has('\\Deleted'));
  assert.deepEqual(Object.fromEntries(told.items), {
    MESSAGES: mailbox.messages.length, RECENT: recent, UIDNEXT: mailbox.uidNext, UIDVALIDITY: mailbox.uidValidity, UNSEEN: mailbox.messages.filter(({ flags }) => !flags.has('\\Seen')).length,
    DELETED: deleted.length, SIZE: bytesOf(mailbox.messages.map(({ letter }) => letter)), 'DELETED-STORAGE': bytesOf(deleted.map(({ letter }) => letter)),
    ...(asks === '' ? {} : { HIGHESTMODSEQ: mailbox.highestModseq }),
  });
}

/** Of the open mailbox those that are recent to the session, what it has not heard of yet included. */
function checkRecent({ view, worker }: SessionModel, mailbox: ModelMailbox, number: number): void {
  const uids = mailbox.messages.map(({ uid }) => uid);
  if (view?.mailbox === mailbox) assert.equal(number, view.recent.countIn(uids), `RECENT of ${mailbox.name}`);
  else mailbox.recent.hear(worker, { uids, number });
}
