/** A world outside in which every recipient gets the reply that his local part names. */
import type { TestContext } from 'node:test';
import type { SMTPServerOptions } from 'smtp-server';
import { startWorld } from './cluster.ts';
import type { World } from './cluster.ts';

export const routeTo = (world: World): { routes: { domain: string; host: string; port: number; tls: 'none' }[] } => ({ routes: [{ domain: '*', host: '127.0.0.1', port: world.port, tls: 'none' }] });

export async function startStrictWorld(t: TestContext, options: SMTPServerOptions = {}): Promise<World> {
  return startWorld(t, {
    onRcptTo: ({ address }, _, done) => {
      const code = /^(\d{3})@/u.exec(address)?.[1];
      return code === undefined ? done() : done(Object.assign(new Error(`${code.slice(0, 1)}.1.1 says the world`), { responseCode: Number(code) }));
    },
    ...options,
  });
}
