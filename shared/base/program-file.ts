/** Which file is the program: a command that starts nodes runs the same one again. */
import { extname, join } from 'node:path';

/** `waybill.ts` in a checkout, `waybill.js` in the package, where everything is compiled: as this file itself is. */
export const programFile = join(import.meta.dirname, '..', '..', `waybill${extname(import.meta.filename)}`);
