/** `waybill report mail`: the daily report printed, or mailed beside the one that is due every day. */
import { z } from 'zod';
import { isDay } from '../../shared/reporting/local-day.ts';
import { openApi } from './api-client.ts';
import type { ApiOptions } from './api-client.ts';
import { UsageError } from './usage-error.ts';

export interface ReportMailOptions extends ApiOptions {
  readonly now?: boolean;
  readonly print?: boolean;
  readonly day?: string;
  readonly to?: readonly string[];
}

const shownSchema = z.object({ text: z.string() });
const mailedSchema = z.object({ day: z.string(), node: z.string(), id: z.string(), to: z.array(z.string()) });

/** @throws UsageError */
export async function reportMailText(options: ReportMailOptions): Promise<string> {
  const { day, now, print, to = [] } = options;
  if (now !== true && print !== true) throw new UsageError('say --now to mail the report now, or --print to see it');
  if (day !== undefined && !isDay(day)) throw new UsageError('--day is a day, such as 2026-11-25');
  const api = await openApi(options);
  if (print === true) return shownSchema.parse(await api.ask(`/report/daily${day === undefined ? '' : `?day=${day}`}`)).text;
  const mailed = mailedSchema.parse(await api.ask('/report/daily/mail', { method: 'POST', body: { to, ...(day === undefined ? {} : { day }) } }));
  return `the report on ${mailed.day} to ${mailed.to.join(' ')} is in the queue of ${mailed.node}: ${mailed.id}`;
}
