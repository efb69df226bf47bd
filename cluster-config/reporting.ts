/** Parameters of the Reporting service (the manual's section 3.2.7). */
import { z } from 'zod';
import { fileName, wholeNumber } from './values.ts';

export const reportingParameters = z
  .strictObject({
    enable: z.boolean().default(true).describe('Whether samples of the counters are taken and kept.'),
    intervalSeconds: wholeNumber({ min: 1, max: 3600 }).default(60).describe('How often a sample is taken.'),
    keepWeeks: wholeNumber({ min: 1, max: 520 }).default(4).describe('How long samples are kept; lowering it deletes older ones. Front-ends keep a window in memory only.'),
    domains: z.boolean().default(false).describe('Whether back-ends also count by domain.'),
    accounts: z.boolean().default(false).describe('Whether back-ends also count by account.'),
    file: fileName().optional().describe('The SQLite file of a back-end; `reports.sqlite` beside the first storage when absent.'),
  })
  .prefault({})
  .describe('What is kept of the counters, for reports and charts.');
