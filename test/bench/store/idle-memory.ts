/**
 * What sessions cost that do nothing: logged in, a mailbox open, waiting in IDLE. Each time with a server of its own, and measured from where
 * as many sessions are there already: one that has worked before holds memory that it needs no more, out of which sessions are served that then would seem to cost nothing.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { settledMemory } from '../proxy/cells.ts';
import type { Figures } from '../proxy/cells.ts';
import type { StoreStart } from './flush-cells.ts';
import { furnish } from './furnish.ts';
import { addressOf, imapSession, usersOfEachKind } from './mail-store.ts';
import type { MailStore } from './mail-store.ts';
import type { Wire } from './wire.ts';

export interface IdleEffort {
  readonly leg: 'imap' | 'imaps';
  readonly sessions: number;
  readonly restMs: number;
  /** How long sessions are idle before memory is looked at: who has been working gives memory back only then. */
  readonly idleMs: number;
}

const openedAtOnce = 20;

/** In each mailbox that is opened. */
const messages = 20;

export async function measureIdleMemory(start: StoreStart, { leg, sessions, restMs, idleMs }: IdleEffort): Promise<Figures> {
  const store = await start((command) => command);
  try {
    await furnish(store, Array.from({ length: Math.min(usersOfEachKind, sessions) }, (_, turn) => ({ user: addressOf('many', turn), mailbox: 'INBOX', messages })));
    const first = await openMany(store, leg, sessions);
    await sleep(idleMs);
    const before = await settledMemory(store, restMs);
    const wires = await openMany(store, leg, sessions);
    const soon = await settledMemory(store, restMs);
    await sleep(idleMs);
    const after = await settledMemory(store, restMs);
    const held = wires.filter((wire) => wire.isOpen).length;
    for (const wire of [...first, ...wires]) wire.end();
    return {
      'sessions held': held,
      'kB each (resident)': (after.resident - before.resident) / sessions,
      'kB each (proportional)': (after.proportional - before.proportional) / sessions,
      'kB each, resident, seconds after the logins': (soon.resident - before.resident) / sessions,
      'MB before': before.resident / 1000,
    };
  } finally {
    await store.stop();
  }
}

async function openMany(store: MailStore, leg: IdleEffort['leg'], count: number): Promise<readonly Wire[]> {
  const wires: Wire[] = [];
  while (wires.length < count) {
    wires.push(...(await Promise.all(Array.from({ length: Math.min(openedAtOnce, count - wires.length) }, async (_, index) => idle(store, leg, wires.length + index)))));
  }
  return wires;
}

async function idle(store: MailStore, leg: IdleEffort['leg'], turn: number): Promise<Wire> {
  const wire = await imapSession(store, addressOf('many', turn % usersOfEachKind), leg);
  await wire.ask('s SELECT INBOX\r\n', 's OK');
  await wire.ask('i IDLE\r\n', '+ ');
  return wire;
}
