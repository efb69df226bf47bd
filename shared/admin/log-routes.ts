/** The Log service as other nodes see it: it takes their lines (type `remote`). */
import { z } from 'zod';
import { Failure } from '../base/failure.ts';
import { HeldLines } from '../log/held-lines.ts';
import type { LogOutput, LogService } from '../log/log-service.ts';
import { callNode } from './admin-call.ts';
import type { AdminTarget } from './admin-client.ts';
import type { AdminRoute } from './admin-server.ts';

const longestLine = 256 * 1024;
const sent = z.strictObject({ lines: z.array(z.string().max(longestLine)).max(50_000) });
const facts = z.object({ level: z.number(), host: z.string().min(1).max(63) });
const silenceMs = 10_000;

/** The log's way to another node. `target` is asked for each batch. */
export function remoteOutput(target: () => Promise<AdminTarget>): LogOutput {
  const held = new HeldLines<string>('remote', async (lines) => {
    await callNode(await target(), { path: '/log-lines', body: { lines }, silenceMs });
  });
  return { send: (line) => held.add(line.trimEnd()), close: async () => held.close() };
}

export function logRoute(service: LogService): AdminRoute {
  return {
    method: 'POST', prefix: '/log-lines', allow: 'nodes', kind: 'step',
    answer: async (_, { body }) => {
      const parsed = sent.safeParse(body);
      if (!parsed.success) throw new Failure('bad-input', 'those are no log lines');
      for (const line of parsed.data.lines) {
        service.accept(line, factsOf(line));
      }
      return Promise.resolve({ status: 200, body: { taken: parsed.data.lines.length } });
    },
  };
}

function factsOf(line: string): z.output<typeof facts> {
  try {
    return facts.parse(JSON.parse(line));
  } catch (cause) {
    throw new Failure('bad-input', 'those are no log lines', { cause });
  }
}
