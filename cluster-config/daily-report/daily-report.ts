/**
 * The daily report (the face of this room): one back-end of the cluster makes it and puts it into its own queue. Which days were
 * mailed is kept in the queue, in the transaction that takes the message: a node that dies before has not mailed it and does so
 * when it is back; one that dies after has both, memory and message.
 */
import { randomUUID } from 'node:crypto';
import { callNode } from '../../shared/admin/admin-call.ts';
import { isFailure } from '../../shared/base/failure.ts';
import type { Logger } from '../../shared/log/log.ts';
import { mailDate } from '../../shared/mime/mail-date.ts';
import { dayAfter, latestDueDay, localTime, spanOfDay } from '../../shared/reporting/local-day.ts';
import type { Day } from '../../shared/reporting/local-day.ts';
import type { Service } from '../../shared/service/service.ts';
import { dailySections } from '../reporting.ts';
import { dayOfCluster } from './cluster-day.ts';
import { askEveryMs, askFrontendCounts } from './frontend-counts.ts';
import { nodeTargets, reporterOf } from './node-targets.ts';
import type { ReportGround } from './node-targets.ts';
import { reportMessage } from './report-message.ts';
import { reportText } from './report-sections.ts';
import type { ReportText } from './report-sections.ts';

export interface ReportOutbox {
  /** Takes a message over once for each key, whatever dies meanwhile: on stable storage when it resolves. Answers its id in the queue; undefined when it has the key. */
  sendOnce(key: string, message: { readonly from: string; readonly to: readonly string[]; readonly bytes: Buffer }): Promise<string | undefined>;
  hasSent(key: string): boolean;
}

export interface DailyReportGround extends ReportGround {
  readonly outbox: ReportOutbox;
  readonly log: Logger;
}

export const sentPath = '/daily-report/sent/';
const lookEveryMs = 15_000;
/** After a failure. */
const pauseMs = 300_000;
const silenceMs = 5000;

/** A key for each day: the cluster's name is in it as a queue belongs to one cluster only. */
export function keyOfDay(day: Day): string {
  return `daily-report ${day}`;
}

export class DailyReport {
  readonly #ground: DailyReportGround;
  /** The last that another node has mailed. */
  #elsewhere: Day | undefined;

  constructor(ground: DailyReportGround) {
    this.#ground = ground;
  }

  /** @param day yesterday when absent */
  async make(day: Day | undefined): Promise<{ readonly day: Day; readonly report: ReportText }> {
    const { context: { config } } = this.#ground;
    const { defaultTimeZone: timeZone, defaultLanguage: language, reporting: { dailyReport } } = config;
    const made = day ?? dayAfter(localTime(Date.now(), timeZone).day, -1);
    // Today's is not over: what is counted until now belongs to it.
    if (spanOfDay(made, timeZone).toMs > Date.now()) await askFrontendCounts(this.#ground, Date.now());
    return { day: made, report: reportText(await dayOfCluster(this.#ground, made), { language, sections: dailySections.filter((section) => dailyReport.sections.includes(section)) }) };
  }

  /** One that was asked for, beside the daily one. @param to the configured recipients when empty */
  async mailNow(day: Day | undefined, to: readonly string[]): Promise<{ readonly day: Day; readonly id: string; readonly to: readonly string[] }> {
    const { day: made, report } = await this.make(day);
    const recipients = to.length > 0 ? to : this.#recipients;
    const key = `daily-report ${randomUUID()}`;
    const id = await this.#send(report, { key, to: recipients, messageId: `report-${made}.${randomUUID()}@${this.#ground.context.config.serverName}` });
    return { day: made, id: id ?? '', to: recipients };
  }

  /** Mails the latest that is due, unless that was done. */
  async mailDue(): Promise<void> {
    const { context: { config }, outbox, log } = this.#ground;
    const day = latestDueDay(Date.now(), { hour: config.reporting.dailyReport.hour, timeZone: config.defaultTimeZone });
    if (outbox.hasSent(keyOfDay(day)) || this.#elsewhere === day) return;
    if (await this.#sentElsewhere(day)) {
      this.#elsewhere = day;
      return;
    }
    const { report } = await this.make(day);
    const id = await this.#send(report, { key: keyOfDay(day), to: this.#recipients, messageId: `report-${day}.${config.clusterName.replace(/[^A-Za-z0-9-]/g, '-')}@${config.primaryDomain}` });
    if (id !== undefined) log.info({ day, item: id, to: this.#recipients }, 'daily report mailed');
  }

  get #recipients(): readonly string[] {
    const { primaryDomain, reporting: { dailyReport: { recipients } } } = this.#ground.context.config;
    return recipients.length > 0 ? recipients : [`postmaster@${primaryDomain}`];
  }

  /** The configuration named another node until a while ago. One that does not answer counts as one that has not. */
  async #sentElsewhere(day: Day): Promise<boolean> {
    const others = nodeTargets(this.#ground).filter(({ role }) => role === 'backend');
    const answers = await Promise.all(others.map(async ({ target }) => {
      try {
        return target === undefined ? undefined : await callNode(target, { path: `${sentPath}${day}`, silenceMs });
      } catch (error) {
        if (!isFailure(error)) throw error;
        return undefined;
      }
    }));
    return answers.some((answer) => typeof answer === 'object' && answer !== null && 'sent' in answer && answer.sent === true);
  }

  async #send(report: ReportText, { key, to, messageId }: { readonly key: string; readonly to: readonly string[]; readonly messageId: string }): Promise<string | undefined> {
    const { context: { config }, outbox } = this.#ground;
    const from = config.reporting.dailyReport.from ?? `postmaster@${config.primaryDomain}`;
    return outbox.sendOnce(key, { from, to, bytes: await reportMessage(report, { from, to, messageId, date: mailDate(Date.now()) }) });
  }
}

/** Counts for front-ends and mails what is due, until it is stopped; for the appointed worker of the node that makes the report. */
export function startDailyReport(ground: DailyReportGround): readonly Service[] {
  const { config } = ground.context;
  if (!config.reporting.dailyReport.enable || reporterOf(config) !== config.nodeName) return [];
  const report = new DailyReport(ground);
  let turn: Promise<void> = Promise.resolve();
  let [counted, notBeforeMs] = [0, 0];
  const inTurn = (work: () => Promise<void>, failed: (error: unknown) => void): void => {
    turn = turn.then(work).catch(failed);
  };
  const look = (): void => {
    const now = Math.floor(Date.now() / askEveryMs);
    if (now !== counted) {
      const atMs = counted === 0 ? Date.now() : now * askEveryMs;
      counted = now;
      inTurn(async () => askFrontendCounts(ground, atMs), (error) => ground.log.warn({ err: error }, 'what front-ends counted could not be kept'));
    }
    if (Date.now() < notBeforeMs) return;
    inTurn(async () => report.mailDue(), (error) => {
      notBeforeMs = Date.now() + pauseMs;
      ground.log.error({ err: error, againInSeconds: pauseMs / 1000 }, 'the daily report could not be mailed; it is tried again');
    });
  };
  look();
  const timer = setInterval(look, lookEveryMs);
  const end = async (): Promise<void> => {
    clearInterval(timer);
    await turn;
  };
  return [{ name: 'dailyReport', stop: end, retire: end }];
}
