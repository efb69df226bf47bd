/** The bytes of a report as a message. */
import MailComposer from 'nodemailer/lib/mail-composer';
import { htmlForm } from './html-form.ts';
import type { ReportText } from './report-sections.ts';
import { plainForm } from './text-form.ts';

export interface MessageFrame {
  readonly from: string;
  readonly to: readonly string[];
  /** Without angle brackets. */
  readonly messageId: string;
  /** As header fields have it. */
  readonly date: string;
}

/** text/plain and text/html, the same in both. Nobody shall answer it by itself (RFC 3834 section 5). */
export async function reportMessage(report: ReportText, { from, to, messageId, date }: MessageFrame): Promise<Buffer> {
  return new MailComposer({
    from: { name: `Waybill ${report.cluster}`, address: from },
    to: to.map((address) => ({ name: '', address })),
    subject: report.subject, date, messageId: `<${messageId}>`,
    headers: { 'Auto-Submitted': 'auto-generated', 'X-Auto-Response-Suppress': 'All', 'Content-Language': report.language },
    text: plainForm(report).replace(/\n/g, '\r\n'),
    html: htmlForm(report).replace(/\n/g, '\r\n'),
    newline: 'win', disableFileAccess: true, disableUrlAccess: true,
  }).compile().build();
}
