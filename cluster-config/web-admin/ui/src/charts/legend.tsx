/** Which line is which, and what it says at the time that is looked at; else at last. */
import { valueText } from '../reports/units.ts';
import type { ChartProps } from './line-chart.tsx';
import { timeText } from './times.ts';

export function Legend({ at, times, lines, unit, stepMs }: ChartProps & { readonly at: number | undefined }) {
  const index = at ?? times.length - 1;
  return (
    <div class="legend">
      <span class="legend-time">{at === undefined ? 'Latest' : timeText(times[at] ?? 0, stepMs)}</span>
      <ul>
        {lines.map(({ name, values }, place) => (
          <li key={name}>
            <svg class="swatch" width={26} height={10} aria-hidden="true"><path class={`line line-${String(place % 6)}`} d="M1 5L25 5" /></svg>
            <span>{name}</span>
            <b>{values[index] === undefined ? '–' : valueText(values[index], unit)}</b>
          </li>
        ))}
      </ul>
    </div>
  );
}
