/** The admin routes by which another back-end takes an account away from this one. */
import { z } from 'zod';
import { overviewPath } from '../../cluster-config/map-findings.ts';
import type { Overview } from '../../cluster-config/map-findings.ts';
import type { AdminRoute } from '../../shared/admin/admin-server.ts';
import type { Storage } from '../storage/storage.ts';
import { localSource, recordOf } from './local-source.ts';
import { encodeMessages } from './message-stream.ts';

const idsSchema = z.object({ ids: z.array(z.number()).max(10_000) });
const holdSchema = z.object({ token: z.string().min(1).max(100), forMs: z.number().positive().max(600_000) });
const releaseSchema = z.object({ token: z.string() });
const sealSchema = z.object({ token: z.string(), node: z.string(), epoch: z.number().int() });
const verifiedSchema = z.object({ epoch: z.number().int(), purge: z.boolean() });

export function sourceRoutes(node: string, storage: Storage): readonly AdminRoute[] {
  const source = localSource(node, storage);
  const get = (what: string, answer: (address: string, query: URLSearchParams) => Promise<unknown>): AdminRoute => ({
    prefix: `/moves/${what}/`,
    allow: what === 'record' ? 'nodes' : 'backends',
    answer: async (address, { query }) => ({ status: 200, body: await answer(address.toLowerCase(), query) }),
  });
  const post = (what: string, answer: (address: string, body: unknown) => Promise<void>): AdminRoute => ({
    method: 'POST',
    kind: 'step',
    prefix: `/moves/${what}/`,
    allow: 'backends',
    answer: async (address, { body }) => {
      await answer(address.toLowerCase(), body);
      return { status: 200, body: {} };
    },
  });
  return [
    get('record', async (address) => Promise.resolve(recordOf(storage, address))),
    get('snapshot', async (address) => source.snapshot(address)),
    get('changes', async (address, query) => source.changes(address, Number(query.get('mailbox')), Number(query.get('since')))),
    get('fingerprint', async (address) => source.fingerprint(address)),
    get('acceptances', async (address) => source.acceptances(address)),
    post('hold', async (address, body) => {
      const { token, forMs } = holdSchema.parse(body);
      await source.hold(address, token, forMs);
    }),
    post('release', async (address, body) => source.release(address, releaseSchema.parse(body).token)),
    post('seal', async (address, body) => source.seal(address, sealSchema.parse(body))),
    post('verified', async (address, body) => source.verified(address, verifiedSchema.parse(body))),
    {
      method: 'POST', prefix: '/moves/messages/', allow: 'backends', kind: 'question',
      answer: async (address, { body }) => Promise.resolve({ status: 200, stream: encodeMessages(storage.transfers.leaving, address.toLowerCase(), idsSchema.parse(body).ids) }),
    },
    {
      prefix: '/moves/digests/', allow: 'backends',
      answer: async (address) => Promise.resolve({ status: 200, stream: jsonLines(source.digests(address.toLowerCase())) }),
    },
    {
      prefix: overviewPath, allow: 'nodes',
      answer: async () => Promise.resolve({ status: 200, body: overviewOf(storage) }),
    },
  ];
}

/** All accounts of this node, and what moves have left unfinished. */
export function overviewOf(storage: Storage): Overview {
  const { leaving, arriving } = storage.transfers;
  const held = arriving.records().map(({ address, from, stage }) => ({ address, from, stage }));
  return { live: storage.addresses(), arriving: held, left: leaving.left().map(({ address, node, mail, atMs }) => ({ address, node, mail, atMs })) };
}

async function* jsonLines(values: AsyncIterable<object>): AsyncGenerator<Buffer, void, void> {
  for await (const value of values) yield Buffer.from(`${JSON.stringify(value)}\n`);
  yield Buffer.from('{"end":true}\n');
}
