/** What every process of a node tells of itself: processor time, memory, the lag of its event loop. */
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { gauge, counter, whenMeasured } from './metrics.ts';

const cpu = counter({ name: 'waybill_process_cpu_seconds', unit: 'seconds', help: 'Processor time of all processes of the node.', labels: ['mode'] });
const memory = gauge({ name: 'waybill_process_resident_memory_bytes', unit: 'bytes', help: 'Memory of all processes of the node.' });
const heap = gauge({ name: 'waybill_process_heap_bytes', unit: 'bytes', help: 'JavaScript heap in use, all processes of the node.' });
const lag = gauge({ name: 'waybill_event_loop_lag_seconds', unit: 'seconds', help: 'Lag of the event loop of the slowest process since the measurement before.', labels: ['quantile'], combine: 'max' });

/** How long an event loop is late because of other work, asked ten times a second: each question wakes the process, at rest too. */
const resolutionMs = 100;

/** Begins to watch this process; the answer ends it. */
export function watchProcess(): () => void {
  const delay = monitorEventLoopDelay({ resolution: resolutionMs });
  delay.enable();
  let before = process.cpuUsage();
  const end = whenMeasured(() => {
    const now = process.cpuUsage();
    cpu.add({ mode: 'user' }, (now.user - before.user) / 1e6);
    cpu.add({ mode: 'system' }, (now.system - before.system) / 1e6);
    before = now;
    const { rss, heapUsed } = process.memoryUsage();
    memory.set({}, rss);
    heap.set({}, heapUsed);
    const late = (nanoseconds: number): number => Math.max(0, nanoseconds / 1e9 - resolutionMs / 1000);
    for (const [quantile, percent] of [['0.5', 50], ['0.99', 99]] as const) lag.set({ quantile }, delay.count === 0 ? 0 : late(delay.percentile(percent)));
    lag.set({ quantile: '1' }, delay.count === 0 ? 0 : late(delay.max));
    delay.reset();
  });
  return () => {
    end();
    delay.disable();
  };
}
