/** A strict reader of OpenMetrics text 1.0: what the specification forbids is an error here, so that a test sees it. */
import assert from 'node:assert/strict';

export interface Exposition {
  readonly families: ReadonlyMap<string, { readonly kind: string; readonly unit: string | undefined }>;
  /** By name with suffix and labels, as they stand: `waybill_workers{stage="ready"}`. */
  readonly samples: ReadonlyMap<string, number>;
}

const sampleLine = /^([a-zA-Z_:][a-zA-Z0-9_:]*)(\{(?:[a-zA-Z_][a-zA-Z0-9_]*="(?:[^"\\\n]|\\[\\"n])*"(?:,[a-zA-Z_][a-zA-Z0-9_]*="(?:[^"\\\n]|\\[\\"n])*")*)?\})? ([+-]?(?:\d+(?:\.\d*)?(?:e[+-]?\d+)?|Inf)|NaN)$/;
const suffixes: Readonly<Record<string, readonly string[]>> = { counter: ['_total', '_created'], gauge: [''], histogram: ['_bucket', '_count', '_sum', '_created'] };

/** @throws AssertionError naming the line that breaks the rules */
export function readOpenMetrics(text: string): Exposition {
  assert.ok(text.endsWith('# EOF\n'), 'ends with # EOF');
  const families = new Map<string, { kind: string; unit: string | undefined }>();
  const samples = new Map<string, number>();
  let current: { readonly name: string; kind: string; unit: string | undefined } | undefined;
  for (const line of text.slice(0, -'# EOF\n'.length).split('\n').slice(0, -1)) {
    const meta = /^# (TYPE|UNIT|HELP) ([a-zA-Z_:][a-zA-Z0-9_:]*) (.+)$/.exec(line);
    if (meta !== null) {
      const [, what = '', name = '', value = ''] = meta;
      if (what === 'TYPE') {
        assert.ok(!families.has(name), `${name} stands twice, or apart`);
        assert.ok(Object.hasOwn(suffixes, value), `type of ${line}`);
        assert.ok(!/_(total|bucket|count|sum|created|info)$/.test(name), `${name} ends with a suffix that is reserved`);
        current = { name, kind: value, unit: undefined };
        families.set(name, current);
      } else {
        assert.equal(name, current?.name, `${line} stands at another family`);
        if (what === 'UNIT') {
          assert.ok(name.endsWith(`_${value}`), `${name} does not end with its unit ${value}`);
          if (current !== undefined) current.unit = value;
        } else assert.ok(!value.replace(/\\[\\n"]/g, '').includes('\\'), `escapes of ${line}`);
      }
      continue;
    }
    const sample = sampleLine.exec(line);
    assert.ok(sample !== null && current !== undefined, `no sample: ${line}`);
    const [, name = '', labels = '', value = ''] = sample;
    assert.ok((suffixes[current.kind] ?? []).some((suffix) => name === current?.name + suffix), `${name} is no sample of ${current.name}`);
    const key = name + labels;
    assert.ok(!samples.has(key), `${key} stands twice`);
    samples.set(key, Number(value.replace('Inf', 'Infinity')));
    if (current.kind === 'counter') assert.ok((samples.get(key) ?? -1) >= 0, `${key} is negative`);
  }
  checkHistograms(families, samples);
  return { families, samples };
}

/** Buckets never fall, and the last one is the count. */
function checkHistograms(families: Exposition['families'], samples: ReadonlyMap<string, number>): void {
  const last = new Map<string, { readonly le: number; readonly count: number }>();
  for (const [key, value] of samples) {
    const bucket = /^(.*)_bucket\{(.*?),?le="([^"]+)"\}$/.exec(key);
    if (bucket === null || families.get(bucket[1] ?? '')?.kind !== 'histogram') continue;
    const series = `${bucket[1] ?? ''}|${bucket[2] ?? ''}`;
    const le = Number((bucket[3] ?? '').replace('+Inf', 'Infinity'));
    const before = last.get(series);
    assert.ok(before === undefined || (le > before.le && value >= before.count), `${key} is out of order`);
    last.set(series, { le, count: value });
  }
  for (const [series, { le, count }] of last) {
    const [name = '', labels = ''] = series.split('|');
    assert.equal(le, Infinity, `${series} has no bucket +Inf`);
    assert.equal(samples.get(`${name}_count${labels === '' ? '' : `{${labels}}`}`), count, `count of ${series}`);
  }
}
