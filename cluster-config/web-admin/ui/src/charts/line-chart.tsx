/**
 * A chart of lines over time. The picture is described in words; a slider below it goes through the times by keyboard, finger and
 * screen reader, as the pointer does on the picture; and all of it can be had as a table.
 */
import { useSignal } from '@preact/signals';
import { useEffect, useId, useRef, useState } from 'preact/hooks';
import type { Lines } from '../reports/lines.ts';
import type { Unit } from '../reports/catalogue.ts';
import { unitNames, valueText } from '../reports/units.ts';
import { ChartTable } from './chart-table.tsx';
import { Legend } from './legend.tsx';
import { Plot } from './plot.tsx';
import { stepText, timeText } from './times.ts';

export interface ChartProps extends Lines {
  readonly title: string;
  /** One sentence: what is counted. */
  readonly about: string;
  readonly unit: Unit;
}

export function LineChart(chart: ChartProps) {
  const { title, about, unit, times, lines, stepMs } = chart;
  const id = useId();
  const at = useSignal<number | undefined>(undefined);
  const frame = useRef<HTMLDivElement>(null);
  const width = useWidth(frame);
  const unitText = unit === 'each step' ? `in each ${stepText(stepMs)}` : unitNames[unit];
  return (
    <figure class="panel chart" aria-labelledby={`${id}-name`}>
      <figcaption class="chart-head">
        <h3 id={`${id}-name`}>{title}{unitText !== '' && <span class="soft"> {unitText}</span>}</h3>
        <p class="soft small">{about}</p>
      </figcaption>
      <div ref={frame} class="chart-frame">
        {lines.length === 0 || times.length < 2
          ? <p class="chart-none">{times.length < 2 ? 'Too short a time to draw.' : 'Nothing in this time.'}</p>
          : width > 0 && <Plot {...chart} width={width} at={at} />}
      </div>
      {lines.length > 0 && times.length > 1 && (
        <>
          <Cursor {...chart} at={at} />
          <Legend {...chart} at={at.value} />
          <ChartTable {...chart} />
        </>
      )}
    </figure>
  );
}

interface CursorProps extends ChartProps {
  readonly at: { value: number | undefined };
}

/** A range control that is moved along the times; what it says is what stands at that time. */
function Cursor({ title, unit, times, lines, stepMs, at }: CursorProps) {
  const index = at.value ?? times.length - 1;
  const said = lines.map(({ name, values }) => `${name} ${values[index] === undefined ? 'unknown' : valueText(values[index], unit)}`).join(', ');
  return (
    <input class="chart-cursor" type="range" min={0} max={times.length - 1} step={1} value={index} aria-label={`${title}: time`} aria-valuetext={`${timeText(times[index] ?? 0, stepMs)}: ${said}`}
      onInput={(event) => { at.value = Number(event.currentTarget.value); }} onFocus={() => { at.value = index; }} onBlur={() => { at.value = undefined; }} />
  );
}

/** Of an element, in pixels; 0 until it is known. */
function useWidth(of: { readonly current: HTMLElement | null }): number {
  const [width, setWidth] = useState(0);
  useEffect(() => {
    if (of.current === null) return undefined;
    const observer = new ResizeObserver(([entry]) => setWidth(Math.round(entry?.contentRect.width ?? 0)));
    observer.observe(of.current);
    return () => observer.disconnect();
  }, [of]);
  return width;
}
