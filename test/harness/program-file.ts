/** Which file tests run as Waybill: the source, or the bundle that a run of all tests makes of it. */
import { join } from 'node:path';

export const programVariable = 'WAYBILL_TEST_PROGRAM';

export const programFile = process.env[programVariable] ?? join(import.meta.dirname, '..', '..', 'waybill.ts');
