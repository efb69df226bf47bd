/** A configuration that is published, in WebAdmin in a real browser and over the admin API: two nodes, of which only the back-end can publish. */
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import type { Page } from 'playwright-core';
import { askAdmin, auditOf, basic, me } from '../../harness/admin-api.ts';
import { faultsInBothThemes } from '../../harness/axe.ts';
import { openChromium } from '../../harness/chromium.ts';
import type { TestBrowser } from '../../harness/chromium.ts';
import { startPublishedCluster, withoutNode } from '../../harness/published-cluster.ts';
import type { PublishedCluster } from '../../harness/published-cluster.ts';
import { publishingSuite } from './publishing-suite.ts';

let home: PublishedCluster;
let browser: TestBrowser;
let page: Page;
const complaints: string[] = [];
/** Nodes are started anew meanwhile. */
const patience = { timeout: 120_000 };

before(async () => {
  home = await startPublishedCluster({ wrap: { fe1: (command, folder) => command.map((word) => (word.endsWith('/waybill.yaml') ? join(folder, 'frontend.yaml') : word)) } });
  const { cluster } = home;
  // A front-end's own file: it does not say how to publish.
  writeFileSync(join(cluster.folder, 'frontend.yaml'), readFileSync(cluster.configFile, 'utf8').replace(/\n +write: .*/, '').replace(/\nkeep: .*/, ''));
  const published = await home.publish(['fe2', 'be2'].reduce(withoutNode, home.yaml), { message: 'the beginning', by: 'ann' });
  assert.equal(published.code, 0, published.complaint);
  await Promise.all((['fe1', 'be1'] as const).map(async (node) => cluster.startNode(node)));
  browser = await openChromium();
  page = await browser.context.newPage();
  page.on('console', (message) => {
    if (['error', 'warning'].includes(message.type()) && !message.text().startsWith('Failed to load resource')) complaints.push(message.text());
  });
  page.on('pageerror', (error) => complaints.push(String(error)));
});

after(async () => {
  await browser.close();
  await home.cluster.stop();
});

publishingSuite(() => home);

function urlOf(place: string): string {
  return `https://127.0.0.1:${String(home.cluster.port('fe1', 'admin'))}/#/${place}`;
}

/** What is published, by the API. */
async function present(): Promise<{ readonly text: string; readonly number: number }> {
  return (await askAdmin(home.cluster, ['be1', '/api/v1/configuration'], { headers: basic(me.name, me.password) })).body as unknown as { text: string; number: number };
}

/** For everybody: light and dark, by axe-core; on a phone nothing is wider than the screen. */
async function lookAround(where: string): Promise<void> {
  assert.deepEqual(await faultsInBothThemes(page, where), []);
  await page.setViewportSize({ width: 360, height: 740 });
  assert.ok(await page.evaluate<number>('document.getElementById("content").scrollWidth') <= 360, `${where} is wider than a phone`);
  await page.setViewportSize({ width: 1280, height: 800 });
}

test('the configuration in WebAdmin', { timeout: 600_000 }, async (t) => {
  const editor = page.getByLabel('Document (YAML)');

  await t.test('the text is checked while one writes; a mistake leads to its place', async () => {
    const { text } = await present();
    await page.goto(urlOf('configuration'));
    await page.getByLabel('Name').fill(me.name);
    await page.getByLabel('Password').fill(me.password);
    await page.getByRole('button', { name: 'Sign in' }).click();
    await page.getByRole('region', { name: 'Version 3' }).waitFor();
    assert.equal(await editor.inputValue(), text);
    await editor.fill(text.replace('drainSeconds: 5', 'drainSeconds: five'));
    const line = text.slice(0, text.indexOf('drainSeconds: 5')).split('\n').length;
    const finding = page.getByRole('list', { name: 'Mistakes' }).getByRole('button', { name: new RegExp(`^line ${String(line)}, column \\d+ .*drainSeconds`) });
    await finding.focus();
    await page.keyboard.press('Enter');
    assert.equal(await page.locator('.line-wrong').textContent(), String(line));
    assert.match(await page.evaluate<string>('String(document.activeElement.value.slice(document.activeElement.selectionStart, document.activeElement.selectionEnd))'), /^five/);
    await page.keyboard.insertText('4');
    await page.getByText(/The document is good for 2 nodes/).waitFor();
    await lookAround('editor');
  });

  await t.test('who publishes what was overtaken is told by whom; nothing of theirs is lost, and the text stays over a reload', async () => {
    const { text, number } = await present();
    await page.getByRole('button', { name: 'Review and publish …' }).click();
    await page.getByRole('region', { name: 'What differs', exact: true }).getByText('removed: ').waitFor();
    await page.getByLabel('What for').fill('shorter');
    const theirs = await askAdmin(home.cluster, ['be1', '/api/v1/configuration/publish'], { method: 'POST', headers: basic(me.name, me.password), body: { text: text.replace('workers: 1', 'workers: 2'), after: number, message: 'more hands' } });
    assert.equal(theirs.status, 200, JSON.stringify(theirs.body));
    await page.getByRole('button', { name: 'Publish', exact: true }).click();
    await page.getByRole('alert').filter({ hasText: 'Version 4 was published by admin since you began with version 3 (more hands)' }).waitFor(patience);
    await page.reload();
    await page.getByRole('alert').filter({ hasText: 'Version 4 was published by admin' }).waitFor(patience);
    assert.match(await editor.inputValue(), /drainSeconds: 4/);
    await page.getByRole('button', { name: 'Discard my changes' }).click();
    assert.match(await editor.inputValue(), /workers: 2/);
  });

  await t.test('what differs and what waits for a restart is shown, published, and the nodes are watched; then the restart is done', async () => {
    await editor.fill((await present()).text.replace('directories: [', 'directories: [be1/storage3, '));
    await page.getByText(/The document is good for 2 nodes/).waitFor(patience);
    await page.getByRole('button', { name: 'Review and publish …' }).click();
    await page.getByText('be1 keeps its old values of storage.directories until it is restarted.').waitFor(patience);
    await page.getByLabel('What for').fill('room for more');
    await lookAround('review');
    await page.getByRole('button', { name: 'Publish', exact: true }).click();
    await page.getByRole('status').filter({ hasText: 'All 2 nodes run version 5.' }).waitFor(patience);
    const row = page.getByRole('table', { name: 'Nodes and their versions' }).getByRole('row', { name: /^be1/ });
    await row.getByText('Needs a restart for storage.directories').waitFor();
    await lookAround('standings');
    await row.getByRole('button', { name: 'Restart be1' }).click();
    await page.getByLabel('Seconds for its sessions').fill('0');
    await page.getByRole('button', { name: 'Restart it' }).click();
    await row.getByText('Needs a restart').waitFor({ state: 'detached', ...patience });
    await page.getByRole('status').filter({ hasText: 'All 2 nodes run version 5.' }).waitFor(patience);
    assert.match(JSON.stringify(auditOf(home.cluster, 'be1').findLast(({ what }) => what === 'restartNode')), /"who":"admin".*"via":"fe1".*"result":"done"/);
  });

  await t.test('the history shows what differs between any two, and the way back, which asks first', async () => {
    await page.getByRole('navigation', { name: 'Configuration' }).getByRole('link', { name: 'History' }).click();
    await page.getByRole('link', { name: 'What version 4 changed' }).click();
    await page.getByRole('region', { name: 'From version 3 to 4' }).getByText('workers: 2').waitFor();
    await page.getByLabel('Before').selectOption('1');
    await page.getByLabel('After').selectOption('5');
    await page.getByRole('region', { name: 'From version 1 to 5' }).getByText(/directories: \[be1\/storage3/).waitFor();
    await lookAround('history');
    await page.getByRole('button', { name: 'Roll back to version 4' }).click();
    await page.getByRole('dialog').getByText(/published as version 6/).waitFor();
    await page.keyboard.press('Escape');
    assert.equal((await present()).number, 5);
    await page.getByRole('button', { name: 'Roll back to version 4' }).click();
    await page.getByRole('button', { name: 'Publish version 4 again' }).click();
    await page.getByRole('status').filter({ hasText: 'All 2 nodes run version 6.' }).waitFor(patience);
  });

  await t.test('administrators are shown as the configuration has them, with the way to their place in it; a sign-in is seen and ended', async () => {
    await page.getByRole('link', { name: 'Administrators' }).click();
    await page.getByRole('table', { name: 'Administrators' }).getByRole('row', { name: /^admin password all/ }).getByText(/^\d+ permissions$/).waitFor();
    const { body } = await askAdmin(home.cluster, ['be1', '/api/v1/session'], { method: 'POST', body: { ...me, as: 'token' } });
    const headers = { authorization: `Bearer ${String(body['token'])}` };
    const signIns = page.getByRole('table', { name: 'Sign-ins' });
    await signIns.getByRole('row', { name: /^admin this page cookie 127\.0\.0\.1/ }).waitFor();
    await signIns.getByRole('button', { name: 'End the sign-in of admin from 127.0.0.1, token' }).waitFor(patience);
    await lookAround('administrators');
    for (const [wanted, status] of [[{}, 400], [{ session: '../x' }, 400], [{ session: 'unknown' }, 404], [{ name: 'nobody' }, 404]] as const) {
      assert.equal((await askAdmin(home.cluster, ['fe1', '/api/v1/administrators/sign-ins/end'], { method: 'POST', headers, body: wanted })).status, status);
    }
    assert.doesNotMatch(JSON.stringify((await askAdmin(home.cluster, ['be1', '/api/v1/administrators'], { headers })).body), /argon2|secrets/i);
    await signIns.getByRole('button', { name: 'End the sign-in of admin from 127.0.0.1, token' }).click();
    await page.getByRole('button', { name: 'End it' }).click();
    await page.getByText('The sign-in of admin is over.').waitFor(patience);
    for (const node of ['fe1', 'be1'] as const) assert.equal((await askAdmin(home.cluster, [node, '/api/v1/session'], { headers })).status, 401);
    await page.getByRole('link', { name: 'In the text: admin' }).click();
    const selected = async (): Promise<string> => page.evaluate('document.activeElement.value?.slice(document.activeElement.selectionStart).trim() ?? ""');
    for (const deadline = Date.now() + 60_000; !(await selected()).startsWith('{ name: admin'); await page.waitForTimeout(100)) assert.ok(Date.now() < deadline, `the text goes on with ${await selected()}`);
  });

  await t.test('the page broke none of its own rules', () => assert.deepEqual(complaints, []));
});
