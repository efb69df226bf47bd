/** What WebAdmin lets an administrator do with queued mail, passwords and his own sign-in. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { codeOfStep, decodeTotpSecret } from '../../../shared/admin-api/totp.ts';
import { faultsInBothThemes } from '../../harness/axe.ts';
import type { Cluster } from '../../harness/cluster.ts';
import { addPerson } from '../../harness/demo-people.ts';
import { ImapSession } from '../../harness/imap-session.ts';
import { newMessage } from '../../harness/messages.ts';
import { change, json } from '../../backend/storage/damage.ts';
import { deliver, SmtpSession } from '../../harness/smtp-session.ts';
import type { WebAdminPage } from '../../harness/web-admin-page.ts';

export const totpSecret = 'JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP';

/** Counts of a mailbox are made wrong, and the file that has the account's mail is put aside; the answer brings it back. */
async function spoil(node: string, address: string): Promise<() => void> {
  for (const directory of ['storage1', 'storage2'].map((name) => join(node, name))) {
    const packs = readdirSync(join(directory, 'packs')).map((name) => join(directory, 'packs', name));
    const pack = packs.find((path) => readFileSync(path).includes(address));
    if (pack === undefined) continue;
    await change(directory, 'mailboxes', (value) => json(value, ({ messages }) => (Number(messages) > 0 ? { unseen: 99 } : undefined)));
    renameSync(pack, `${pack}.aside`);
    return () => renameSync(`${pack}.aside`, pack);
  }
  return assert.fail(`no storage has mail of ${address}`);
}

/** Nobody listens where mail for `away.example` goes; `totp` is an administrator with an authenticator. Begins and ends signed in as `admin`. */
export async function actsSuite(t: TestContext, cluster: Cluster, admin: WebAdminPage): Promise<void> {
  const { page } = admin;

  await t.test('queued mail is held, released, returned to its sender, and deleted', async () => {
    const user = await addPerson(cluster, 'be1');
    const session = await SmtpSession.connect(cluster, 'fe1', 'submission');
    await session.authenticate(user, cluster.password);
    for (const to of ['first@away.example', 'second@away.example']) assert.match(await session.send({ from: `${user}@example.com`, to: [to], bytes: newMessage({ from: `${user}@example.com`, to }).bytes }), /^250/);
    await session.quit();
    await admin.goTo('be2', `queue?sender=${user}&recipient=first`);
    const queue = page.getByRole('table', { name: 'Queue of be1' });
    const message = `the message of ${user}@example.com`;
    const row = queue.getByRole('row', { name: new RegExp(`^${user}@example.com first@away.example`) });
    await row.getByRole('button', { name: `Hold ${message}` }).click();
    await row.getByText('held', { exact: true }).waitFor();
    await row.getByRole('button', { name: `Release ${message}` }).click();
    await row.getByText(/^next try/).waitFor();
    await row.getByRole('button', { name: `Return ${message} to the sender` }).click();
    await page.getByLabel('Reason in the report').fill('nobody is there');
    await page.getByRole('button', { name: 'Return it' }).click();
    await page.getByText('Returned.', { exact: true }).waitFor();
    await row.waitFor({ state: 'detached' });
    const imap = await ImapSession.logIn(cluster, { node: 'fe1', user });
    await imap.ok('SELECT INBOX');
    for (const deadline = Date.now() + 60_000; Date.now() < deadline && !(await imap.ok('SEARCH BODY "nobody is there"')).untagged.some(({ text }) => /SEARCH 1/.test(text));) await page.waitForTimeout(100);
    assert.match((await imap.ok('SEARCH BODY "nobody is there"')).untagged.map(({ text }) => text).join(' '), /SEARCH 1/, 'the sender has the report, with the reason');
    await imap.ok('LOGOUT');
    await admin.goTo('be2', `queue?sender=${user}&recipient=second`);
    await page.getByRole('link', { name: `${user}@example.com` }).click();
    await page.getByRole('button', { name: `Delete ${message}` }).click();
    await page.getByRole('dialog').getByText(/nobody is told/).waitFor();
    await page.getByRole('button', { name: 'Delete it' }).click();
    await admin.heading('Queue');
    await page.getByText('Deleted.', { exact: true }).waitFor();
  });

  await t.test('storages are checked to the last byte, and locked for a snapshot', async () => {
    await admin.goTo('fe1', 'storages');
    const card = page.getByRole('region', { name: 'be1', exact: true });
    await card.getByRole('button', { name: 'Check the storages of be1' }).click();
    await card.getByRole('status').filter({ hasText: /^Check of .* all is well/ }).first().waitFor();
    await card.getByText(/ read; nothing wrong\.$/).first().waitFor();
    await card.getByRole('button', { name: 'Lock the storages of be1' }).click();
    await page.getByRole('button', { name: 'Lock them' }).click();
    await card.getByText(/^locked until /).first().waitFor();
    assert.deepEqual(await faultsInBothThemes(page, 'storages with a check and a lock'), []);
    await card.getByRole('button', { name: 'Unlock the storages of be1' }).click();
    await page.getByText('Unlocked: the lock held until now.').waitFor();
  });

  await t.test('a repair names what it mended and what is lost, and a compaction what it freed, for keyboards too', async () => {
    const user = await addPerson(cluster, 'be1');
    await deliver(cluster, 'fe1', { from: 'x@example.net', to: [`${user}@example.com`], bytes: newMessage().bytes });
    const undo = await spoil(join(cluster.folder, 'be1'), `${user}@example.com`);
    await admin.goTo('fe1', 'storages');
    const card = page.getByRole('region', { name: 'be1', exact: true });
    await card.getByRole('button', { name: 'Repair the storages of be1' }).focus();
    await page.keyboard.press('Enter');
    await page.getByRole('button', { name: 'Repair them' }).waitFor();
    await page.keyboard.press('Escape');
    await page.getByRole('dialog').waitFor({ state: 'detached' }); // until then the button waits for the answer
    assert.equal(await admin.focused(), 'Repair the storages of be1', 'who changes his mind is where he was');
    await page.keyboard.press('Enter');
    await page.getByRole('button', { name: 'Repair them' }).click();
    await page.getByText('The repair goes on at the node, also when you leave this page.').waitFor();
    await card.getByRole('status').filter({ hasText: /^Repair of .* something is wrong still/ }).first().waitFor();
    await card.getByRole('list', { name: 'Wrong still' }).getByText(new RegExp(`\\(${user}@example.com, INBOX, UID 1, `)).waitFor();
    await card.getByRole('list', { name: 'Mended' }).getByRole('listitem').first().waitFor();
    assert.deepEqual(await faultsInBothThemes(page, 'storages with a repair'), []);
    undo();
    await card.getByRole('button', { name: 'Compact the storages of be1' }).click();
    await card.getByRole('status').filter({ hasText: /^Compaction of .* done/ }).first().waitFor();
    await card.getByText(/: (no file has so much that is dead|\d+ files? rewritten, .* are free in some minutes)\.$/).first().waitFor();
  });

  await t.test('a new password is asked for twice, and holds at once', async () => {
    const user = await addPerson(cluster, 'be2');
    await admin.goTo('be1', `accounts/${user}@example.com`);
    const form = page.getByRole('region', { name: 'New password' });
    const set = async (password: string, again: string): Promise<void> => {
      await form.getByLabel('New password').fill(password);
      await form.getByLabel('Once more').fill(again);
      await form.getByRole('button', { name: 'Set the password' }).click();
    };
    await set('brand new secret', 'brand new secrets');
    await form.getByRole('alert').filter({ hasText: 'The two passwords are not the same.' }).waitFor();
    await set('brand-new-secret', 'brand-new-secret');
    await form.getByRole('status').filter({ hasText: /^The new password holds/ }).waitFor();
    const imap = await ImapSession.connect(cluster, 'fe1');
    await imap.ok(`LOGIN ${user} brand-new-secret`);
    await imap.ok('LOGOUT');
  });

  await t.test('who has an authenticator needs its code; after signing out nothing is left', async () => {
    await page.getByRole('button', { name: 'Sign out', exact: true }).click();
    await page.getByText('You are signed out.').waitFor();
    await admin.signIn('totp', cluster.password);
    await page.getByRole('alert').filter({ hasText: 'Wrong name, password or code.' }).waitFor();
    await page.getByLabel('Code').fill(codeOfStep(decodeTotpSecret(totpSecret), Math.floor(Date.now() / 30_000)));
    await admin.signIn('totp', cluster.password);
    await page.getByText('totp', { exact: true }).waitFor();
    await page.getByRole('button', { name: 'Sign out', exact: true }).click();
    await page.getByText('You are signed out.').waitFor();
    assert.equal((await page.request.get(`${admin.urlOf('fe1')}api/v1/nodes`)).status(), 401);
    await page.goBack();
    await page.getByRole('button', { name: 'Sign in' }).waitFor();
    await admin.goTo('fe1');
    await admin.signIn('admin', cluster.password);
    await admin.heading('Overview');
  });
}
