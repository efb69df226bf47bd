/** The axes of a chart: round numbers and round times. Pure. */

const minuteMs = 60_000;
const hourMs = 60 * minuteMs;
const dayMs = 24 * hourMs;

/** From 0 in equal round steps (1, 2 or 5 times a power of ten) to the first that is not below `most`. @param wanted how many steps, about */
export function valueTicks(most: number, wanted = 4): readonly number[] {
  const rough = Math.max(most, Number.MIN_VALUE) / wanted;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = ([1, 2, 5, 10].find((factor) => factor * power >= rough * 0.999_999) ?? 10) * power;
  const count = Math.max(1, Math.ceil(most / step - 1e-9));
  return Array.from({ length: count + 1 }, (_, index) => Number((index * step).toPrecision(12)));
}

const timeSteps = [1, 2, 5, 10, 15, 30].map((minutes) => minutes * minuteMs).concat([1, 2, 3, 6, 12].map((hours) => hours * hourMs), [1, 2, 4, 7, 14, 28].map((days) => days * dayMs));

/** Round times of the reader's clock within a span, `most` of them at most. */
export function timeTicks(fromMs: number, toMs: number, most: number): readonly number[] {
  const step = timeSteps.find((each) => (toMs - fromMs) / each <= most) ?? 28 * dayMs;
  const ticks: number[] = [];
  for (let at = firstTick(fromMs, step); at <= toMs; at = later(at, step)) if (at >= fromMs) ticks.push(at);
  return ticks.slice(0, most);
}

function firstTick(fromMs: number, step: number): number {
  const midnight = new Date(fromMs).setHours(0, 0, 0, 0);
  return step >= dayMs ? midnight : midnight + Math.floor((fromMs - midnight) / step) * step;
}

/** Days are counted by the calendar: some have 23 or 25 hours. */
function later(atMs: number, step: number): number {
  if (step < dayMs) return atMs + step;
  const date = new Date(atMs);
  return date.setDate(date.getDate() + step / dayMs);
}

export interface Frame {
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
}

/** The lines through values that are known, as a path: one value that is missing is passed over, more break the line. */
export function linePath(values: readonly (number | undefined)[], top: number, { left, top: y, width, height }: Frame): string {
  const last = Math.max(1, values.length - 1);
  let path = '';
  let missing = 2;
  values.forEach((value, index) => {
    if (value === undefined) {
      missing += 1;
      return;
    }
    path += `${missing > 1 ? 'M' : 'L'}${(left + (index / last) * width).toFixed(1)} ${(y + height - (value / top) * height).toFixed(1)}`;
    missing = 0;
  });
  return path;
}
