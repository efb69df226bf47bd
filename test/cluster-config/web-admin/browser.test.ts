/** WebAdmin in a real browser, at the admin ports of a running cluster. */
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import type { Page } from 'playwright-core';
import { accessibilityFaults, faultsInBothThemes } from '../../harness/axe.ts';
import { openChromium } from '../../harness/chromium.ts';
import type { TestBrowser } from '../../harness/chromium.ts';
import { startCluster } from '../../harness/cluster.ts';
import type { Cluster } from '../../harness/cluster.ts';
import { addPerson } from '../../harness/demo-people.ts';
import { freePort } from '../../harness/free-port.ts';
import { writeCertificates } from '../../harness/host-certificates.ts';
import { ImapSession } from '../../harness/imap-session.ts';
import { newMessage } from '../../harness/messages.ts';
import { deliver } from '../../harness/smtp-session.ts';
import { WebAdminPage } from '../../harness/web-admin-page.ts';
import { actsSuite, totpSecret } from './acts-suite.ts';
import { lifeInWebAdmin } from './life-suite.ts';
import { observingSuite } from './observing-suite.ts';

let cluster: Cluster;
let browser: TestBrowser;
let admin: WebAdminPage;
let page: Page;
const helpdesk = '\n      - { name: helpdesk, password: { file: secrets/administrator }, allow: [manageSessions, manageUserMap], domains: [example.com] }\n      - { name: totp, password: { file: secrets/administrator }, totp: { file: secrets/totp }, allow: [all] }';

/** What the suites need. */
async function withMore(yaml: string, folder: string): Promise<string> {
  writeFileSync(join(folder, 'secrets', 'totp'), `${totpSecret}\n`);
  await writeCertificates(join(folder, 'tls'), { ending: { dnsNames: ['mail.example.org'], validDays: 5 } });
  return yaml
    .replace(/- \{ name: admin, .*/, (admin) => `${admin}${helpdesk}`)
    .replace('type: ldapBind,', 'type: ldapBind, domains: [example.com],')
    .replace(/^cluster:\n/m, 'cluster:\n  domains: [local.example]\n')
    .replace('  drainSeconds: 5\n', '  drainSeconds: 5\n  reporting: { intervalSeconds: 1, domains: true, accounts: true }\n')
    .replace('\nnodes:\n', `\nbackends: { services: { smtpSending: { routes: [{ domain: away.example, host: 127.0.0.1, port: ${String(await freePort())}, tls: none }] } } }\n\nnodes:\n`)
    .replace('tls: { nodeCertificate: tls/fe1.pem,', 'tls: { virtualHosts: [{ names: [mail.example.org], certificate: tls/ending.pem, key: tls/ending.key }], nodeCertificate: tls/fe1.pem,');
}

before(async () => {
  cluster = await startCluster({ nodes: ['fe1', 'be1', 'be2'], changeConfig: withMore });
  browser = await openChromium();
  admin = await WebAdminPage.open(browser.context, cluster);
  ({ page } = admin);
});

after(async () => {
  await browser.close();
  await cluster.stop();
});

test('administrators work in WebAdmin', { timeout: 280_000 }, async (t) => {
  await t.test('a wrong password is refused in words; who signs in sees the nodes, and what is wrong with them', async () => {
    await page.goto(admin.urlOf('fe1'));
    await admin.signIn('admin', 'certainly wrong');
    await page.getByRole('alert').filter({ hasText: 'Wrong name, password or code.' }).waitFor();
    await admin.signIn('admin', cluster.password);
    await admin.heading('Overview');
    const nodes = page.getByRole('table', { name: 'Nodes of the cluster' });
    await nodes.getByRole('row', { name: /^be1 back-end ready/ }).waitFor();
    await nodes.getByRole('row', { name: /^fe2 front-end unreachable/ }).waitFor();
    await page.getByRole('region', { name: 'Needs attention' }).getByRole('link', { name: /fe2 is unreachable/ }).waitFor();
  });

  await t.test('a back-end serves the same page, and takes the sign-in of the front-end', async () => {
    await page.goto(admin.urlOf('be2'));
    await admin.heading('Overview');
    await page.getByRole('link', { name: 'be1', exact: true }).click();
    await admin.heading('Node be1');
    await page.getByText('imap').first().waitFor();
  });

  await t.test('a session is found and cut; it asks before, and says what will happen', async () => {
    const user = await addPerson(cluster, 'be1');
    const imap = await ImapSession.logIn(cluster, { node: 'fe1', user });
    await page.goto(admin.urlOf('be1', 'sessions'));
    await page.getByLabel('Account').fill(`${user}@example.com`);
    await page.getByRole('button', { name: 'Show' }).click();
    const row = page.getByRole('row', { name: new RegExp(`^${user}@example.com imapProxy`) });
    await row.getByRole('button', { name: `Cut the sessions of ${user}@example.com` }).click();
    await page.getByRole('dialog').getByText('WebMail signs the user out').waitFor();
    await page.getByRole('button', { name: 'Cancel' }).click();
    await imap.ok('NOOP');
    await row.getByRole('button', { name: 'Cut' }).click();
    await page.getByRole('button', { name: 'Cut sessions', exact: true }).click();
    await page.getByText(/^1 session cut; fe2 did not answer/).waitFor();
    await imap.dialogue.closed();
    await page.getByText('No session fits.').waitFor();
  });

  await t.test('an account is found, and moved while one looks on', async () => {
    const user = await addPerson(cluster, 'be1');
    await deliver(cluster, 'fe1', { from: 'x@example.net', to: [`${user}@example.com`], bytes: newMessage().bytes });
    await page.goto(admin.urlOf('be1', 'accounts'));
    await page.getByLabel('An address has').fill(user.toUpperCase());
    await page.getByRole('button', { name: 'Search' }).click();
    await page.getByRole('link', { name: `${user}@example.com` }).click();
    await admin.heading(`${user}@example.com`);
    const records = page.getByRole('table', { name: /What back-ends have/ });
    await records.getByRole('row', { name: /^be1 mailbox lives here 1 / }).waitFor();
    await page.getByRole('combobox', { name: 'To' }).selectOption('be2');
    await page.getByRole('button', { name: 'Move …' }).click();
    await page.getByRole('button', { name: 'Move it' }).click();
    await page.getByRole('status').filter({ hasText: /To be2: done/ }).waitFor({ timeout: 60_000 });
    await records.getByRole('row', { name: /^be2 mailbox lives here 1 / }).waitFor();
  });

  await t.test('a service is stopped and started again', async () => {
    await page.goto(admin.urlOf('be2', 'overview/fe1'));
    const row = page.getByRole('table', { name: 'Services of fe1' }).getByRole('row', { name: /^pop3Proxy/ });
    await row.getByRole('button', { name: 'Stop pop3Proxy' }).click();
    await page.getByRole('button', { name: 'Stop it' }).click();
    await row.getByText('stopped').waitFor();
    await row.getByRole('button', { name: 'Start pop3Proxy' }).click();
    await row.getByText('running').waitFor();
  });

  await t.test('the audit has what was done, and the logs the journey of a message', async () => {
    await page.goto(admin.urlOf('be2', 'audit'));
    await page.getByRole('row', { name: /admin by cookie 127\.0\.0\.1 fe1, by way of be2 Stop service.* done$/ }).waitFor();
    assert.deepEqual(await page.getByRole('alert').allTextContents(), ['Fe2 does not answer. Try again when the node runs; the overview shows which do. What was done at fe2 is not among these.'], 'be1, where nothing was done yet, has nothing to tell');
    const user = await addPerson(cluster, 'be2');
    await deliver(cluster, 'fe1', { from: 'x@example.net', to: [`${user}@example.com`], bytes: newMessage().bytes });
    await page.goto(admin.urlOf('fe1', 'trace'));
    await page.getByLabel('Id or address').fill(`${user}@example.com`);
    await page.getByRole('button', { name: 'Search' }).click();
    await page.getByRole('row', { name: /be2 .*delivered/ }).first().waitFor();
    await page.getByText('fe2 does not answer.').waitFor();
  });

  await t.test('where nodes read a file it is shown as read-only, and can be checked and compared', async () => {
    const text = readFileSync(cluster.configFile, 'utf8');
    await page.goto(admin.urlOf('fe1', 'configuration'));
    const editor = page.getByLabel('Document (YAML)');
    await page.getByText(/read their configuration from a file/).waitFor();
    await editor.fill(text.replace('drainSeconds: 5', 'drainSeconds: five'));
    const line = text.slice(0, text.indexOf('drainSeconds: 5')).split('\n').length;
    await page.getByRole('button', { name: new RegExp(`^line ${String(line)}, column \\d+ .*drainSeconds`) }).click();
    assert.equal(await page.locator('.line-wrong').textContent(), String(line));
    assert.match(await page.evaluate<string>('String(document.activeElement.value.slice(document.activeElement.selectionStart, document.activeElement.selectionEnd))'), /^five/);
    await editor.fill(text.replace('drainSeconds: 5', 'drainSeconds: 4'));
    await page.getByText(/The document is good for 4 nodes/).waitFor();
    await page.getByRole('button', { name: 'Compare …' }).click();
    await page.getByRole('region', { name: 'What differs', exact: true }).getByText('drainSeconds: 4').waitFor();
    assert.equal(await page.getByRole('button', { name: 'Publish' }).count(), 0);
    assert.deepEqual(await accessibilityFaults(page), []);
  });

  await lifeInWebAdmin(t, admin);

  await t.test('all of it goes by keyboard', async () => {
    const user = await addPerson(cluster, 'be2');
    const imap = await ImapSession.logIn(cluster, { node: 'fe1', user });
    await page.goto(admin.urlOf('fe1', 'overview'));
    await page.reload();
    await admin.heading('Overview');
    await admin.tabTo('Sessions');
    await page.keyboard.press('Enter');
    await admin.heading('Sessions');
    assert.equal(await admin.focused(), 'Sessions', 'one begins at the heading');
    await admin.tabTo('Account');
    await page.keyboard.type(`${user}@example.com`);
    await page.keyboard.press('Enter');
    await page.getByText('1 session', { exact: true }).waitFor();
    await admin.tabTo(`Cut the sessions of ${user}@example.com`);
    await page.keyboard.press('Enter');
    await page.getByRole('dialog').waitFor();
    assert.equal(await admin.focused(), 'Cancel', 'what does no harm has the focus');
    await page.keyboard.press('Escape');
    await page.getByRole('dialog').waitFor({ state: 'detached' });
    await imap.ok('NOOP');
    assert.equal(await admin.focused(), `Cut the sessions of ${user}@example.com`, 'the focus comes back');
    await page.keyboard.press('Enter');
    await page.getByRole('dialog').waitFor();
    await Promise.all([page.keyboard.press('Escape'), page.keyboard.press('Enter')]);
    await page.locator('dialog[open]').waitFor(); // asked again, however fast the keys were
    await admin.tabTo('Cut sessions');
    await page.keyboard.press('Enter');
    await imap.dialogue.closed();
    await page.getByText('No session fits.').waitFor();
    await page.locator('h1:focus').waitFor();
  });

  await observingSuite(t, cluster, admin);
  await actsSuite(t, cluster, admin);

  await t.test('no screen has a fault that axe knows, in light or in dark', async () => {
    const faults: string[] = [];
    for (const place of ['overview', 'overview/be1', 'sessions', 'accounts', 'accounts/alice@example.com', 'domains', 'domains/example.com', 'groups', 'queue', 'storages', 'reports?period=minutes', 'reports/daily', 'trace?what=alice@example.com', 'audit', 'configuration']) {
      await page.goto(admin.urlOf('fe1', place));
      await page.locator('.panel').first().waitFor();
      await page.locator('.waiting').first().waitFor({ state: 'detached' });
      faults.push(...(await faultsInBothThemes(page, place)));
    }
    assert.deepEqual(faults, []);
  });

  await t.test('on a phone nothing is wider than the screen', async () => {
    await page.setViewportSize({ width: 360, height: 700 });
    for (const place of ['overview', 'overview/be1', 'sessions', 'accounts', 'accounts/alice@example.com', 'domains', 'domains/example.com', 'groups', 'queue', 'storages', 'reports?period=minutes', 'reports/daily', 'trace?what=alice@example.com', 'audit', 'configuration']) {
      await page.goto(admin.urlOf('fe1', place));
      await page.locator('.panel').first().waitFor();
      const width = await page.evaluate<number>('document.getElementById("content").scrollWidth');
      assert.ok(width <= 360, `${place} is ${String(width)} wide`);
    }
    await page.getByRole('button', { name: 'Screens' }).click();
    await page.getByRole('link', { name: 'Storages' }).click();
    await admin.heading('Storages');
    await page.setViewportSize({ width: 1280, height: 800 });
  });

  await t.test('what a role may not do is not shown', async () => {
    await page.getByRole('button', { name: 'Sign out' }).click();
    await page.getByText('You are signed out.').waitFor();
    await admin.signIn('helpdesk', cluster.password);
    await admin.heading('Overview');
    assert.deepEqual(await page.getByRole('navigation', { name: 'Screens' }).getByRole('link').allTextContents(), ['Overview', 'Sessions', 'Accounts']);
    await page.goto(admin.urlOf('fe1', 'queue'));
    await admin.heading('Overview');
  });

  await t.test('the page broke none of its own rules', async () => {
    const headers = (await page.request.get(admin.urlOf('be1'))).headers();
    assert.match(headers['content-security-policy'] ?? '', /default-src 'none'.*trusted-types 'none'/);
    assert.doesNotMatch(headers['content-security-policy'] ?? '', /unsafe|https?:/);
    assert.deepEqual(admin.complaints, []);
  });
});
