/** The values of a chart as a table, the newest first; made when somebody opens it. */
import { useSignal } from '@preact/signals';
import { valueText } from '../reports/units.ts';
import type { ChartProps } from './line-chart.tsx';
import { timeText } from './times.ts';

export function ChartTable(chart: ChartProps) {
  const isOpen = useSignal(false);
  return (
    <details class="chart-table" onToggle={(event) => { isOpen.value = event.currentTarget.open; }}>
      <summary>Values as a table<span class="for-readers">: {chart.title}</span></summary>
      {isOpen.value && <Values {...chart} />}
    </details>
  );
}

function Values({ title, unit, times, lines, stepMs }: ChartProps) {
  return (
    <div class="chart-values" tabIndex={0} role="region" aria-label={`${title}: values`}>
      <table>
        <caption class="for-readers">{title}</caption>
        <thead><tr><th scope="col">From</th>{lines.map(({ name }) => <th key={name} scope="col">{name}</th>)}</tr></thead>
        <tbody>
          {times.map((time, index) => (
            <tr key={time}><th scope="row">{timeText(time, stepMs)}</th>{lines.map(({ name, values }) => <td key={name}>{values[index] === undefined ? '–' : valueText(values[index], unit)}</td>)}</tr>
          )).reverse()}
        </tbody>
      </table>
    </div>
  );
}
