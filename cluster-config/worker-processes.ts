/** How the worker processes of each kind of node differ, whatever the configuration says. */
import { givingBackFlags } from '../shared/service/memory-at-rest.ts';
import type { SupervisorOptions } from '../shared/service/supervisor.ts';
import type { Role } from './schema.ts';

/**
 * Front-ends have many short connections, back-ends few that last (docs/decisions/front-ends.md, "Who accepts connections").
 * V8's own choice of a young generation (16 MB and more) is for programs whose garbage is large. A front-end's sessions live
 * long and are small: with 2 MB an idle one costs a third of the memory, and a login no more time. Deliveries would cost a back-end a seventh more that way:
 * its workers have what they want while there is work, and give it back at rest.
 * Bytes of messages lie outside of V8's heap, but count in what it may grow by before all of it is marked: by V8's own choice 130 messages of 100 kB were enough at a heap of 42 MB.
 * A back-end's may grow to twice what was live: their bytes go with the young generation, which is collected sooner than that and costs a tenth.
 */
export const workerProcesses: Readonly<Record<Role, Pick<SupervisorOptions, 'connections' | 'engineFlags'>>> = {
  frontend: { connections: 'first come', engineFlags: ['--max-semi-space-size=2'] },
  backend: { connections: 'by turns', engineFlags: [...givingBackFlags, '--heap-growing-percent=100'] },
};
