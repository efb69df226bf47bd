/** For admin listeners of tests whose acts nobody looks at. */
import type { ActLog } from '../../shared/admin/admin-server.ts';

export const noActs: ActLog = { check: async () => Promise.resolve(), write: async () => Promise.resolve() };
