/** Messages that the system itself mails once only, whatever dies meanwhile: the queue remembers them by a key. */
import { makeItem, stageBytes } from './new-item.ts';
import type { ItemMaker } from './new-item.ts';

export interface OnceOnly {
  /** Takes the message over unless it had one under this key; its id in the queue. On stable storage when it resolves. Rejects as `Processing.enqueue`. */
  send(key: string, message: { readonly from: string; readonly to: readonly string[]; readonly bytes: Buffer }): Promise<string | undefined>;
  /** Whether one was taken under this key lately. */
  has(key: string): boolean;
}

/** Longer than anything is due for. */
const keptMs = 100 * 86_400_000;

/** @param wake hears that something new is in the queue */
export function createOnceOnly(maker: ItemMaker, wake: () => void): OnceOnly {
  return {
    send: async (key, { from, to, bytes }) => {
      const staged = await stageBytes(maker.store, bytes, from);
      try {
        const item = makeItem(maker, staged, { sender: { address: from }, trace: '', recipients: to.map((address) => ({ address })), confirmation: 'confirmed', holder: '' });
        if (await maker.store.addOnce(key, item, Date.now() - keptMs) === 'known') return undefined;
        wake();
        return item.id;
      } finally {
        staged.done();
      }
    },
    has: (key) => maker.store.hasAdded(key),
  };
}
