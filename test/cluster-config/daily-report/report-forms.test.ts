/** The daily report out of what nodes told: numbers, words of both languages, and both forms, whatever others have said. */
import { test } from 'node:test';
import assert from 'node:assert/strict';
import PostalMime from 'postal-mime';
import { figuresOf } from '../../../cluster-config/daily-report/figures.ts';
import { htmlForm } from '../../../cluster-config/daily-report/html-form.ts';
import { reportMessage } from '../../../cluster-config/daily-report/report-message.ts';
import { reportText } from '../../../cluster-config/daily-report/report-sections.ts';
import { plainForm } from '../../../cluster-config/daily-report/text-form.ts';
import { dailySections } from '../../../cluster-config/reporting.ts';
import { badDay, calmDay } from './sample-day.ts';

const all = { language: 'en', sections: dailySections } as const;

test('what went through two nodes is counted once: where front-ends are they count what clients do', () => {
  const figures = figuresOf(calmDay);
  assert.deepEqual({ ...figures, logins: figures.logins.map(({ protocol, succeeded, failed }) => `${protocol} ${String(succeeded)} ${String(failed)}`) }, {
    accepted: 5300, acceptedBytes: 3.1e9, delivered: 4118, sent: 1203, refusedRecipients: 812, refusedMessages: 11, refusedConnections: 42, bounced: 7, delayed: 2,
    logins: ['imap 5100 61', 'pop3 0 0', 'webmail 140 3', 'smtp 900 0'], unknownOf: [], unknownAtEdge: [], partOf: [],
  });
  const alone = figuresOf({ ...calmDay, nodes: calmDay.nodes.filter(({ role }) => role === 'backend'), frontendCounts: {} });
  assert.deepEqual([alone.accepted, alone.logins[0]?.succeeded], [9999, 9999], 'without front-ends the back-ends do');
  assert.deepEqual(figuresOf(badDay).unknownOf, ['be2'], 'what a silent front-end had counted before is known');
});

test('a calm day says so, with its date, the hours it had and all sections, in plain text and in the same words in HTML', () => {
  const report = reportText(calmDay, all);
  const plain = plainForm(report);
  assert.equal(report.subject, 'example mail: mail report for 29 Mar 2026');
  assert.match(plain, /^Daily mail report – example mail\nSunday,? 29 March 2026 \(23 hours, as clocks were changed\)\n\nEverything is in order\.\n/);
  for (const line of [/^ {2}fe1 +front-end +runs +12$/m, /^ {2}Messages accepted +5,300 \(3\.1 GB\)$/m, /^ {2}Recipients refused +812$/m, /^ {2}IMAP +5,100 +61$/m, /^ {2}alice@example\.com +310 +95 +44$/m, /^ {2}be1 +3 +12 minutes$/m,
    /^ {2}be1 +\/srv\/waybill\/storage1 +361 GB +1\.4 TB \(70%\) +2\.4 GB$/m, /^No certificate in use ends soon\.$/m, /^ {2}12 +29 Mar 2026, 10:00 +ann +a second listener for IMAP$/m, /^ {2}be1 +helpdesk +deleteAccount \(refused\) +1$/m, /^Without an audit file, so not listed: fe1\.$/m]) assert.match(plain, line);
  const html = htmlForm(report);
  for (const section of report.sections) assert.ok(html.includes(`>${section.title}</h2>`) && plain.includes(section.title.toUpperCase()), section.title);
  for (const word of ['5,300 (3.1 GB)', 'alice@example.com', '1.4 TB (70%)', 'Everything is in order.']) assert.ok(html.includes(word), word);
  const few = reportText(calmDay, { language: 'en', sections: ['mail', 'queue'] });
  assert.deepEqual(few.sections.map(({ title }) => title), ['Mail', 'Queue']);
});

test('what is wrong stands first, and every silent node is named, even where its section is not asked for', () => {
  const report = reportText(badDay, { language: 'en', sections: ['mail'] });
  assert.deepEqual([report.headline.tone, report.attention.length, report.headline.text], ['attention', 10, '10 things want your attention:']);
  const told = report.attention.join('\n');
  for (const words of ['be2 does not answer: connect ECONNREFUSED', 'fe1 does not answer: <img', 'be1 is not ready: the index can\'t be read', 'pop3 does not run at be1: port 110 is in use', 'be1 refuses the configuration: cluster.drainSeconds', 'is nearly full: 900 MB free', 'storage2 at be1 can\'t be reached: ENOENT',
    'tls.certificate at be1 ends on 2 Apr 2026', 'tls.nodeCertificate at be1 ended on 1 Mar 2026', 'The oldest message in the queue of be1 waits for 5 hours']) assert.ok(told.includes(words), words);
  assert.match(plainForm(report), /^The numbers are without be2\.$/m);
});

test('both languages say everything, German with its own numbers and dates', () => {
  const plain = plainForm(reportText(badDay, { language: 'de', sections: dailySections }));
  assert.match(plain, /^Täglicher Mailbericht – example mail\nSonntag, 29\. März 2026 \(23 Stunden, da die Uhren umgestellt wurden\)\n\n10 Dinge brauchen Ihre Aufmerksamkeit:\n {2}\* be2 antwortet nicht/);
  for (const line of [/^ {2}Angenommene Nachrichten +5\.300 \(3,1 GB\)$/m, /^ {2}be1 +180 +5 Stunden$/m, /endet am 02\.04\.2026/]) assert.match(plain, line);
  const wordsOf = (text: string): ReadonlySet<string> => new Set(text.toLowerCase().match(/[a-zäöüß]{4,}/g) ?? []);
  const [english, german] = [wordsOf(plainForm(reportText(badDay, all))), wordsOf(plain)];
  const onlyEnglish = ['does', 'answer', 'messages', 'accepted', 'ended', 'nearly', 'oldest', 'times', 'refused', 'recipients'];
  assert.deepEqual(onlyEnglish.filter((word) => !english.has(word) || german.has(word)), []);
});

test('as a message it is read by another reader: both parts, no header of others, nothing that answers, no markup but ours', async () => {
  const report = reportText(badDay, all);
  const bytes = await reportMessage(report, { from: 'postmaster@example.com', to: ['ann@example.com', 'ops@example.net'], messageId: 'report-2026-03-29.example@example.com', date: 'Mon, 30 Mar 2026 06:00:00 +0200' });
  assert.ok(bytes.toString('latin1').split('\r\n').every((line) => line.length <= 78 && !/[\r\n]/.test(line)));
  const read = await PostalMime.parse(bytes);
  assert.deepEqual([read.subject, read.from?.address, read.to?.map(({ address }) => address), read.messageId, read.date], ['example mail: mail report for 29 Mar 2026', 'postmaster@example.com', ['ann@example.com', 'ops@example.net'], '<report-2026-03-29.example@example.com>', '2026-03-30T04:00:00.000Z']);
  const header = (name: string): string | undefined => read.headers.find(({ key }) => key === name)?.value;
  assert.deepEqual([header('auto-submitted'), header('x-injected'), header('content-language')], ['auto-generated', undefined, 'en']);
  assert.match(header('content-type') ?? '', /^multipart\/alternative;/);
  assert.equal(read.text?.replace(/\r\n/g, '\n').trimEnd(), plainForm(report).trimEnd());
  const html = read.html ?? '';
  assert.doesNotMatch(html, /<img|<script|<link|javascript:|<[^>]*\s(src|href|action|onerror)=/i);
  assert.ok(html.includes('&#60;img src=x onerror=alert(1)&#62;&#38;&#34;&#39;'));
  const tags = new Set([...html.matchAll(/<\/?([a-z0-9]+)/gi)].map(([, tag]) => tag?.toLowerCase()));
  assert.deepEqual([...tags].toSorted(), ['body', 'div', 'h1', 'h2', 'head', 'html', 'li', 'meta', 'p', 'span', 'strong', 'style', 'table', 'tbody', 'td', 'th', 'thead', 'title', 'tr', 'ul']);
});
