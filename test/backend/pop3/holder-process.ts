/** A worker that tells who it is, and ends with its parent's word. */
import { thisProcess } from '../../../shared/base/process-identity.ts';

process.on('disconnect', () => process.exit(0));
process.send?.(thisProcess());
