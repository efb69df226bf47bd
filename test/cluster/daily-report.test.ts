/** The mailed daily report of a running cluster: what is in it, read over IMAP by another reader; one for each day, whoever dies or is named in the place of whom. */
import { after, before, test } from 'node:test';
import assert from 'node:assert/strict';
import * as fs from 'node:fs';
import PostalMime from 'postal-mime';
import type { Email } from 'postal-mime';
import { dayAfter, localTime } from '../../shared/reporting/local-day.ts';
import { askAdmin, auditOf, basic, me } from '../harness/admin-api.ts';
import { startCluster } from '../harness/cluster.ts';
import type { Cluster } from '../harness/cluster.ts';
import { CommandRunner } from '../harness/command-runner.ts';
import { ImapSession } from '../harness/imap-session.ts';
import { logLine } from '../harness/log-lines.ts';
import { newMessage } from '../harness/messages.ts';
import { SmtpSession } from '../harness/smtp-session.ts';

const zone = 'Pacific/Auckland';
let cluster: Cluster;
let commands: CommandRunner;

before(async () => {
  cluster = await startCluster({
    nodes: ['fe1', 'be2'],
    changeConfig: (yaml) => yaml
      .replace('  drainSeconds: 5\n', `  drainSeconds: 5\n  defaultTimeZone: ${zone}\n  reporting: { intervalSeconds: 1, domains: true, accounts: true, dailyReport: { enable: true, hour: 0, recipients: [alice@example.com] } }\n`)
      .replace(/name: admin, .*\n/, (line) => `${line}      - { name: helpdesk, password: { file: secrets/administrator }, allow: [manageReporting], domains: [example.com] }\n`),
  });
  await cluster.startNode('be1'); // which reports at once, so the others are there
  commands = new CommandRunner(cluster.configFile);
});
after(async () => {
  commands.stop();
  await cluster.stop();
});

function today(): string {
  return localTime(Date.now(), zone).day;
}

/** Reports in the mailbox of alice, by another reader. */
async function reportsOf(word: string, count: number): Promise<readonly Email[]> {
  const session = await ImapSession.logIn(cluster, { node: 'fe1', user: 'alice', patienceMs: 60_000 });
  const uids = await session.findSoon(word, { count, patienceMs: 60_000 });
  const messages = await session.messages(uids.join(','));
  session.close();
  return Promise.all([...messages.values()].map(async (bytes) => PostalMime.parse(bytes)));
}

async function reportNow(...words: readonly string[]): Promise<string> {
  const { code, output, complaint } = await commands.run(['report', 'mail', ...words]);
  assert.equal(code, 0, complaint);
  return output;
}

const header = ({ headers }: Email, name: string): string | undefined => headers.find(({ key }) => key === name)?.value;

test('yesterday\'s report comes by itself: both forms, fields that nothing answers, every node of the cluster in it', async () => {
  const [report] = await reportsOf('mail report for', 1);
  assert.ok(report !== undefined);
  const yesterday = dayAfter(today(), -1);
  assert.deepEqual([report.from?.address, report.to?.map(({ address }) => address), report.messageId], ['postmaster@example.com', ['alice@example.com'], `<report-${yesterday}.waybill-demo@example.com>`]);
  assert.equal(header(report, 'auto-submitted'), 'auto-generated');
  assert.match(header(report, 'date') ?? '', /\+1[23]00$/);
  const title = new Intl.DateTimeFormat('en-GB', { timeZone: 'UTC', dateStyle: 'full' }).format(Date.parse(yesterday));
  for (const form of [report.text ?? '', report.html ?? '']) for (const words of ['Daily mail report', title, 'waybill-demo']) assert.ok(form.includes(words), words);
  // The demo's second front-end does not run here.
  assert.match(report.text ?? '', /^ {2}\* fe2 does not answer: /m);
  for (const line of [/^ {2}be1 +back-end +runs /m, /^ {2}be2 +back-end +runs /m, /^ {2}fe1 +front-end +runs /m, /^ {2}fe2 +front-end +does not answer$/m, /^ {2}be1 +\S*\/be1\/storage1 /m]) assert.match(report.text ?? '', line);
});

test('today\'s report tells what came, went and was refused, with who was busiest, silent nodes and administrators', async () => {
  const smtp = await SmtpSession.connect(cluster, 'fe1');
  await smtp.dialogue.ask('MAIL FROM:<sender@example.net>', 250);
  await smtp.dialogue.ask('RCPT TO:<alice@example.com>', 250);
  await smtp.dialogue.ask('RCPT TO:<bob@example.com>', 250);
  await smtp.dialogue.ask('RCPT TO:<nobody@example.com>', 550);
  await smtp.dialogue.ask('DATA', 354);
  smtp.dialogue.sayRaw(newMessage().bytes);
  await smtp.dialogue.ask('.', 250);
  await smtp.dialogue.ask('QUIT', 221);
  const wrong = await ImapSession.connect(cluster, 'fe1');
  assert.match((await wrong.run('LOGIN bob wrong')).completion, /^NO/);
  wrong.close();
  assert.equal((await askAdmin(cluster, ['be1', '/api/v1/accounts/carol@example.com/sign-out'], { method: 'POST', headers: basic(me.name, me.password) })).status, 200);
  await cluster.stopNode('be2');
  // Samples of domains and accounts are taken each second.
  for (let turn = 0; ; turn += 1) {
    const text = await reportNow('--print', '--day', today());
    if (turn < 60 && !/^ {2}alice@example\.com +[1-9]/m.test(text)) continue;
    for (const line of [/^ {2}Messages accepted +1 \(/m, /^ {2}Recipients refused +1$/m, /^ {2}IMAP +[1-9]\d* +1$/m, /^ {2}\* be2 does not answer: /m, /^ {2}example\.com +[1-9]/m, /^ {2}alice@example\.com +[1-9]/m, /^ {2}be1 +admin +signOutAccount +1$/m, /^Of fe1, fe2 only what was counted since/m]) assert.match(text, line);
    break;
  }
  await cluster.startNode('be2');
});

test('a node that is killed and started again does not mail the day twice; nor does another that is named in its place', async () => {
  await cluster.kill('be1');
  await cluster.startNode('be1');
  assert.match(await reportNow('--now', '--to', 'alice@example.com', '--to', 'bob@example.com'), /^the report on \S+ to alice@example\.com bob@example\.com is in the queue of be1: [0-9a-z]+$/m);
  const lengths = { be2: cluster.log('be2').length, fe1: cluster.log('fe1').length };
  fs.writeFileSync(cluster.configFile, fs.readFileSync(cluster.configFile, 'utf8').replace('dailyReport: { enable: true,', 'dailyReport: { enable: true, node: be2,').replace(`defaultTimeZone: ${zone}\n`, `defaultTimeZone: ${zone}\n  defaultLanguage: de\n`));
  await logLine(cluster, 'be2', { words: ['does the work that exists once per node'], from: lengths.be2, patienceMs: 60_000 });
  await logLine(cluster, 'fe1', { words: ['retires: accepts nothing new'], from: lengths.fe1, patienceMs: 60_000 }); // until then it may ask the node that was named before
  // Whichever node is asked, be2 makes it now, in the language of the configuration.
  assert.match(await reportNow('--now', '--as', 'fe1'), /is in the queue of be2: /);
  const [german] = await reportsOf('Mailbericht', 1);
  assert.match(german?.text ?? '', /^Täglicher Mailbericht – waybill-demo$/m);
  const ids = (await reportsOf('mail report for', 2)).map(({ messageId = '' }) => messageId);
  assert.equal(ids.filter((id) => id.endsWith('.waybill-demo@example.com>')).length, 1, 'one by itself, the other was asked for');
  assert.ok(auditOf(cluster, 'be1').some(({ what }) => what === 'mailDailyReport'));
});

test('who administers some domains only does not get what is told of all, and a day that is none is refused', async () => {
  const limited = await askAdmin(cluster, ['fe1', '/api/v1/report/daily'], { headers: basic('helpdesk', me.password) });
  assert.equal(limited.status, 403);
  const { code, complaint } = await commands.run(['report', 'mail', '--print', '--day', '2026-02-30']);
  assert.deepEqual([code, /--day is a day/.test(complaint)], [1, true]);
  const nothing = await commands.run(['report', 'mail']);
  assert.match(nothing.complaint, /say --now to mail the report now, or --print to see it/);
});
