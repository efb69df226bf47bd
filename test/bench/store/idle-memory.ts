/** What sessions cost that do nothing: logged in, a mailbox open, waiting in IDLE. */
import { settledMemory } from '../proxy/cells.ts';
import type { Figures } from '../proxy/cells.ts';
import { addressOf, imapSession, usersOfEachKind } from './mail-store.ts';
import type { MailStore } from './mail-store.ts';
import type { Wire } from './wire.ts';

export interface IdleEffort {
  readonly leg: 'imap' | 'imaps';
  readonly sessions: number;
  readonly restMs: number;
}

/** Sessions that open before anything counts: what the first ones need is nobody's share. */
const warmSessions = 50;
const openedAtOnce = 20;

export async function measureIdleMemory(store: MailStore, { leg, sessions, restMs }: IdleEffort): Promise<Figures> {
  const warm = await openMany(store, leg, Math.min(warmSessions, sessions));
  const before = await settledMemory(store, restMs);
  const wires = await openMany(store, leg, sessions);
  const after = await settledMemory(store, restMs);
  const held = wires.filter((wire) => wire.isOpen).length;
  for (const wire of [...warm, ...wires]) wire.end();
  return {
    'sessions held': held,
    'kB each (resident)': (after.resident - before.resident) / sessions,
    'kB each (proportional)': (after.proportional - before.proportional) / sessions,
    'MB at rest': before.resident / 1000,
  };
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
