/** The picture of a chart: axes, lines, and a mark at the time that is looked at. Drawn in pixels, so that text is never stretched. */
import type { Signal } from '@preact/signals';
import { useId } from 'preact/hooks';
import { valueText } from '../reports/units.ts';
import { linePath, timeTicks, valueTicks } from './axis.ts';
import type { Frame } from './axis.ts';
import type { ChartProps } from './line-chart.tsx';
import { tickText, timeText } from './times.ts';

interface PlotProps extends ChartProps {
  readonly width: number;
  readonly at: Signal<number | undefined>;
}

const height = 190;
const letterWidth = 6.6;
const tickWidth = 74;

export function Plot({ width, at, ...chart }: PlotProps) {
  const { title, unit, times, lines } = chart;
  const id = useId();
  const ticks = valueTicks(Math.max(...lines.flatMap(({ values }) => values.map((value) => value ?? 0))));
  const top = ticks.at(-1) ?? 1;
  const labels = ticks.map((tick) => valueText(tick, unit));
  const left = Math.ceil(Math.max(...labels.map((label) => label.length)) * letterWidth) + 10;
  const frame: Frame = { left, top: 8, width: Math.max(1, width - left - 12), height: height - 34 };
  const last = times.length - 1;
  const point = (event: { readonly offsetX: number }): void => {
    at.value = Math.min(last, Math.max(0, Math.round(((event.offsetX - frame.left) / frame.width) * last)));
  };
  return (
    <svg class="plot" role="img" aria-labelledby={`${id}-title`} aria-describedby={`${id}-desc`} width={width} height={height} viewBox={`0 0 ${String(width)} ${String(height)}`}
      onPointerMove={point} onPointerDown={point} onPointerLeave={() => { at.value = undefined; }}>
      <title id={`${id}-title`}>{title}</title>
      <desc id={`${id}-desc`}>{described(chart)}</desc>
      <Axes frame={frame} ticks={ticks} labels={labels} times={times} />
      {lines.length === 1 && <path class="area" d={areaPath(linePath(lines[0]?.values ?? [], top, frame), frame)} />}
      {lines.map(({ name, values }, index) => <path key={name} class={`line line-${String(index % 6)}`} d={linePath(values, top, frame)} />)}
      {at.value !== undefined && <Mark frame={frame} top={top} at={at.value} chart={chart} />}
    </svg>
  );
}

interface AxesProps {
  readonly frame: Frame;
  readonly ticks: readonly number[];
  readonly labels: readonly string[];
  readonly times: readonly number[];
}

function Axes({ frame, ticks, labels, times }: AxesProps) {
  const { left, top, width, height: high } = frame;
  const [from = 0] = times;
  const to = times.at(-1) ?? 0;
  const most = ticks.at(-1) ?? 1;
  return (
    <g aria-hidden="true">
      {ticks.map((tick, index) => {
        const y = Math.round(top + high - (tick / most) * high) + 0.5;
        return (
          <g key={tick}>
            <line class={index === 0 ? 'axis' : 'grid'} x1={left} x2={left + width} y1={y} y2={y} />
            <text x={left - 8} y={y + 4} text-anchor="end">{labels[index]}</text>
          </g>
        );
      })}
      {timeTicks(from, to, Math.max(2, Math.floor(width / tickWidth))).map((tick) => {
        const x = left + ((tick - from) / Math.max(1, to - from)) * width;
        return (
          <g key={tick}>
            <line class="axis" x1={x} x2={x} y1={top + high} y2={top + high + 5} />
            <text x={x} y={top + high + 19} text-anchor={x > left + width - 16 ? 'end' : 'middle'}>{tickText(tick)}</text>
          </g>
        );
      })}
    </g>
  );
}

function Mark({ frame, top, at, chart: { times, lines } }: { readonly frame: Frame; readonly top: number; readonly at: number; readonly chart: ChartProps }) {
  const x = frame.left + (at / Math.max(1, times.length - 1)) * frame.width;
  return (
    <g class="mark" aria-hidden="true">
      <line x1={x} x2={x} y1={frame.top} y2={frame.top + frame.height} />
      {lines.map(({ name, values }, index) => (values[at] === undefined ? null : <circle key={name} class={`dot dot-${String(index % 6)}`} cx={x} cy={frame.top + frame.height - (values[at] / top) * frame.height} r={4} />))}
    </g>
  );
}

/** Closes each part of a line along the axis. */
function areaPath(line: string, { top, height: high }: Frame): string {
  const floor = (top + high).toFixed(1);
  return line.split('M').slice(1).map((part) => {
    const points = part.split('L');
    const xOf = (point: string | undefined): string => point?.split(' ')[0] ?? '0';
    return `M${xOf(points[0])} ${floor}L${points.join('L')}L${xOf(points.at(-1))} ${floor}Z`;
  }).join('');
}

/** The picture in words. */
function described({ unit, times, lines, stepMs }: ChartProps): string {
  const all = lines.map(({ name, values }) => {
    const known = values.filter((value) => value !== undefined);
    if (known.length === 0) return `${name}: unknown`;
    return `${name}: at most ${valueText(Math.max(...known), unit)}, at last ${valueText(known.at(-1) ?? 0, unit)}`;
  });
  return `From ${timeText(times[0] ?? 0, stepMs)} to ${timeText(times.at(-1) ?? 0, stepMs)}. ${all.join('; ')}.`;
}
