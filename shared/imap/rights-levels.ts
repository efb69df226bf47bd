/** Names for what is usually granted at once (manual, "Folders and permissions"). Pure. */
import { allRights, normalRights } from './rights.ts';
import type { Rights } from './rights.ts';

/** Each with all that the ones before have. */
export const levels = {
  none: '',
  /** Sees the folder and reads it; what is read stays unread for everybody. */
  viewer: 'lr',
  /** Adds messages. */
  contributor: 'lri',
  /** Changes flags, read and unread among them, for everybody; deletes messages. */
  editor: 'lrswite',
  /** Everything, rights of others included. */
  master: allRights,
} as const satisfies Readonly<Record<string, Rights>>;

export type Level = keyof typeof levels;
export const levelNames = Object.keys(levels) as [Level, ...Level[]];

/** `custom` for everything between. */
export function levelOf(rights: Rights): Level | 'custom' {
  return levelNames.find((name) => normalRights(levels[name]) === rights) ?? 'custom';
}
