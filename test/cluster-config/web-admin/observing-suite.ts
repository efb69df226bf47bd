/** What WebAdmin lets an administrator see: charts, live numbers, certificates that end, what the sessions of a user say. */
import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import type { Cluster } from '../../harness/cluster.ts';
import { addPerson } from '../../harness/demo-people.ts';
import { ImapSession } from '../../harness/imap-session.ts';
import { newMessage } from '../../harness/messages.ts';
import { deliver } from '../../harness/smtp-session.ts';
import type { WebAdminPage } from '../../harness/web-admin-page.ts';

/** The demo with samples every second, and at fe1 a virtual host whose certificate ends in five days. Signed in as `admin`. */
export async function observingSuite(t: TestContext, cluster: Cluster, admin: WebAdminPage): Promise<void> {
  const { page } = admin;

  await t.test('a certificate that ends soon is told first, and stands at its node', async () => {
    await admin.goTo('fe1', 'overview');
    await page.getByRole('region', { name: 'Needs attention' }).getByRole('link', { name: 'fe1: the certificate of tls.virtualHosts[0].certificate ends in 5 days' }).click();
    await admin.heading('Node fe1');
    const certificates = page.getByRole('table', { name: 'Certificates of fe1' });
    await certificates.getByRole('row', { name: /^tls\.virtualHosts\[0\]\.certificate .* ends soon$/ }).waitFor();
    await certificates.getByRole('row', { name: /^tls\.nodeCertificate shown to other nodes .* good$/ }).waitFor();
  });

  await t.test('a node tells its sessions and rates as they are', async () => {
    const user = await addPerson(cluster, 'be1');
    const now = page.getByRole('region', { name: 'Now' });
    const sessions = now.locator('div', { has: page.getByText('Sessions', { exact: true }) }).locator('dd');
    await now.getByText(/^[\d.]+ \/s$/).first().waitFor();
    const before = Number(await sessions.textContent());
    const imap = await ImapSession.logIn(cluster, { node: 'fe1', user });
    await sessions.filter({ hasText: new RegExp(`^${String(before + 1)}$`) }).waitFor({ timeout: 20_000 });
    assert.match(await now.locator('div', { has: page.getByText('Event-loop lag, worst') }).locator('dd').textContent() ?? '', /^[\d.,]+ m?s$/);
    await imap.ok('LOGOUT');
  });

  await t.test('charts are read by pointer, keyboard, screen reader and as a table', async () => {
    await admin.goTo('be1', 'reports?period=minutes');
    await admin.heading('Reports');
    const chart = page.getByRole('figure', { name: /^Memory/ });
    const slider = chart.getByRole('slider', { name: 'Memory: time' });
    const look = async (): Promise<{ readonly described: string; readonly last: string; readonly before: string }> => {
      await slider.focus();
      const last = await slider.getAttribute('aria-valuetext') ?? '';
      await page.keyboard.press('ArrowLeft');
      return { described: await chart.locator('desc').textContent() ?? '', last, before: await slider.getAttribute('aria-valuetext') ?? '' };
    };
    let seen = await look();
    const ofAll = /: be1 [\d.]+ M?B, be2 [\d.]+ M?B, fe1 [\d.]+ M?B$/; // 0 B: that node had just begun
    // Under load a node samples late: until it has, it stands in no chart.
    for (let attempt = 0; attempt < 60 && !ofAll.test(seen.before); attempt += 1) {
      await page.reload();
      seen = await look();
    }
    assert.match(seen.described, /^From .+ to .+\. be1: at most [\d.]+ MB, at last [\d.]+ MB; be2: .*fe1: /);
    assert.notEqual(seen.before, seen.last);
    assert.match(seen.before, ofAll);
    await chart.locator('summary').press('Enter');
    await chart.getByRole('table', { name: 'Memory' }).getByRole('row', { name: /MB .* MB .* MB$/ }).first().waitFor();
    await page.getByText('Front-ends keep nothing on disk: fe1 tells what was counted since the start.').waitFor();
    await page.getByLabel('Nodes').selectOption('be2');
    await chart.getByRole('img').waitFor();
    assert.deepEqual(await chart.locator('.legend li > span').allTextContents(), ['be2']);
  });

  await t.test('the mail of one account is a chart of its own', async () => {
    const user = await addPerson(cluster, 'be2');
    await deliver(cluster, 'fe1', { from: 'x@example.net', to: [`${user}@example.com`], bytes: newMessage().bytes });
    await admin.goTo('fe1', 'reports?period=minutes');
    await page.getByRole('combobox', { name: 'Of' }).selectOption('account');
    await page.getByRole('searchbox', { name: 'Account' }).fill(`${user}@example.com`);
    await page.keyboard.press('Enter');
    // The interval may not be over yet.
    const chart = page.getByRole('figure', { name: /^Messages/ });
    for (let attempt = 0; attempt < 60 && !await chart.getByText('Received', { exact: true }).isVisible(); attempt += 1) {
      await page.reload();
      await chart.waitFor();
    }
    await chart.getByText('Received', { exact: true }).waitFor();
  });

  await t.test('what a user\'s sessions say is written down when it is wanted, shown without the password, and ended', async () => {
    const user = await addPerson(cluster, 'be2');
    await (await ImapSession.logIn(cluster, { node: 'fe1', user })).ok('LOGOUT');
    await admin.goTo('fe1', `trace?what=${user}@example.com`);
    const written = page.getByRole('region', { name: 'What the sessions say' });
    await written.getByRole('button', { name: 'Write down …' }).click();
    await page.getByRole('dialog').getByText(/stands in the audit, where the user sees it/).waitFor();
    await page.getByRole('dialog').getByLabel('Front-ends').selectOption('all');
    await page.getByRole('button', { name: 'Write for 30 minutes' }).click();
    await written.getByText('is being written').waitFor();
    const imap = await ImapSession.logIn(cluster, { node: 'fe1', user });
    await imap.ok('SELECT INBOX');
    await imap.ok('LOGOUT');
    const lines = written.getByRole('list', { name: /^Lines of the sessions/ });
    // By both ends of the session: the front-end passes it on, the back-end obeys it.
    await lines.getByRole('listitem').filter({ hasText: 'SELECT INBOX' }).nth(1).waitFor();
    assert.doesNotMatch(await lines.textContent() ?? '', new RegExp(cluster.password));
    await written.getByRole('button', { name: 'Stop writing' }).click();
    await written.getByText(`Nothing of ${user}@example.com is written down now.`).waitFor();
    const { entries } = (await (await page.request.get(`${admin.urlOf('fe1')}api/v1/accounts/${user}@example.com/audit`)).json()) as { readonly entries: readonly { readonly what: string }[] };
    assert.deepEqual(entries.map(({ what }) => what), ['traceProtocol', 'traceProtocol'], 'its owner sees both');
  });

  await t.test('a journey is told session by session, or by time; another back-end is asked for what it wrote', async () => {
    const user = await addPerson(cluster, 'be2');
    await (await ImapSession.logIn(cluster, { node: 'fe1', user })).ok('LOGOUT');
    await admin.goTo('fe1', `trace?what=${user}@example.com`);
    await page.getByRole('region', { name: /^Session / }).filter({ hasText: 'fe1' }).first().waitFor();
    await page.getByLabel('Ordered by').selectOption('time');
    await page.getByRole('button', { name: 'Search' }).click();
    await page.getByRole('table', { name: `Log lines of ${user}@example.com` }).waitFor();
    await page.getByLabel('Written down at').selectOption('be1');
    await page.getByRole('region', { name: 'What the sessions say' }).getByText(`Nothing of ${user}@example.com is written down now.`).waitFor();
    assert.match(page.url(), /order=time.*at=be1/);
  });

  await t.test('the daily report is read of any day, and mailed now', async () => {
    const user = await addPerson(cluster, 'be1');
    await admin.goTo('fe1', 'reports');
    await page.getByRole('link', { name: 'Daily report' }).click();
    await admin.heading('Daily report');
    await page.getByText(/DELIVERIES|MAIL/).first().waitFor();
    await page.getByRole('button', { name: 'Mail it now …' }).click();
    await page.getByRole('dialog').getByRole('textbox').fill(`${user}@example.com`);
    await page.getByRole('dialog').getByRole('button', { name: 'Mail it' }).click();
    await page.getByText(new RegExp(`is in the queue of be\\d, to ${user}@example\\.com`)).waitFor();
    const imap = await ImapSession.logIn(cluster, { node: 'fe1', user });
    await imap.findSoon('mail report');
    await imap.ok('LOGOUT');
  });
}
