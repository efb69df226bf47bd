/** Parameters of the Reporting service (the manual's section 3.2.7). */
import { z } from 'zod';
import { fileName, wholeNumber } from './values.ts';

/** Parts of the daily report, in their order. */
export const dailySections = ['nodes', 'mail', 'logins', 'top', 'queue', 'storages', 'certificates', 'configuration', 'audit'] as const;
export type DailySection = (typeof dailySections)[number];

const mailAddress = z.email('is not a mail address').max(254);

const dailyReport = z
  .strictObject({
    enable: z.boolean().default(false).describe('Whether a report on the day before is mailed every day.'),
    node: z.string().optional().describe('The back-end that makes and mails it; the first by name when absent. It also keeps what front-ends counted, which keep nothing.'),
    recipients: z.array(mailAddress).max(50).default([]).describe('Who gets it; postmaster at the primary domain when empty.'),
    from: mailAddress.optional().describe('Its sender; postmaster at the primary domain when absent.'),
    hour: wholeNumber({ min: 0, max: 23 }).default(6).describe('From this hour on, by `defaultTimeZone`, the report on the day before is due.'),
    sections: z.array(z.enum(dailySections)).min(1).default([...dailySections]).describe('What is in it. Nodes that do not answer are named in any case.'),
  })
  .prefault({})
  .describe('A mailed report on the day before, in `defaultLanguage`.');

export const reportingParameters = z
  .strictObject({
    enable: z.boolean().default(true).describe('Whether samples of the counters are taken and kept.'),
    intervalSeconds: wholeNumber({ min: 1, max: 3600 }).default(60).describe('How often a sample is taken.'),
    keepWeeks: wholeNumber({ min: 1, max: 520 }).default(4).describe('How long samples are kept; lowering it deletes older ones. Front-ends keep a window in memory only.'),
    domains: z.boolean().default(false).describe('Whether back-ends also count by domain.'),
    accounts: z.boolean().default(false).describe('Whether back-ends also count by account.'),
    dailyReport,
    file: fileName().optional().describe('The SQLite file of a back-end; `reports.sqlite` beside the first storage when absent.'),
  })
  .prefault({})
  .describe('What is kept of the counters, for reports and charts.');
