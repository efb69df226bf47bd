/** Looks at what goes on at a node, by the admin API, again and again. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { z } from 'zod';
import type { ApiClient } from './api-client.ts';
import { UsageError } from './usage-error.ts';

const lookEveryMs = 300;
/** A node that is busy, or starts new workers, may be silent for that many looks in a row. */
const mostSilent = 200;

/** What stands at the path, each time that it is said; ends when the node has been silent for long. */
export async function* looks<Seen>(api: ApiClient, path: string, schema: z.ZodType<Seen>): AsyncGenerator<Seen, void, void> {
  for (let silent = 0; silent <= mostSilent; await sleep(lookEveryMs)) {
    const seen = await look(api, path, schema);
    if (seen === undefined) silent += 1;
    else {
      silent = 0;
      yield seen;
    }
  }
}

/** Undefined when the node does not answer for the moment, or its worker does not. */
async function look<Seen>(api: ApiClient, path: string, schema: z.ZodType<Seen>): Promise<Seen | undefined> {
  try {
    return schema.parse(await api.ask(path));
  } catch (error) {
    if (error instanceof UsageError) return undefined;
    throw error;
  }
}
