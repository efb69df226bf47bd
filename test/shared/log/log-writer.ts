/** A process that logs many lines while its file is put away under it, and ends at once after the last; started by the test of log files. */
import { readFileSync } from 'node:fs';
import { logTo } from '../../../shared/log/log.ts';
import { LogService } from '../../../shared/log/log-service.ts';
import { snapshot } from '../../../shared/metrics/metrics.ts';
import { valueOf } from '../../../shared/metrics/snapshot.ts';

const [file = '', name = '', lines = '0'] = process.argv.slice(2);
const log = logTo(new LogService({ node: name, level: 'informational', type: 'internal', services: {}, rules: [], file, outputs: {} }), name);

function writes(): number {
  return Number(/^syscw: (\d+)$/m.exec(readFileSync('/proc/self/io', 'utf8'))?.[1]);
}

const before = writes();
for (let line = 0; line < Number(lines); line += 1) {
  log.info({ line }, 'a line');
  if (line % 100 === 0) await new Promise((resolve) => setTimeout(resolve, 5));
}
const spent = writes() - before;
log.info({ line: Number(lines) }, 'the last line');
process.stdout.write(JSON.stringify({ writes: spent, lost: valueOf(snapshot(), 'waybill_log_lines_lost') }));
process.exit(0);
