/** Domains, accounts and groups in WebAdmin: made, limited, barred, renamed, deleted with a typed word and brought back. */
import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import type { WebAdminPage } from '../../harness/web-admin-page.ts';

/** In a cluster whose domain local.example no directory has. */
export async function lifeInWebAdmin(t: TestContext, admin: WebAdminPage): Promise<void> {
  const { page } = admin;
  const button = async (name: string): Promise<void> => page.getByRole('button', { name, exact: true }).click();
  const dialog = page.getByRole('dialog');

  await t.test('a local account is made with a password that is shown once, disabled, limited, renamed, deleted by its name typed, and brought back', async () => {
    await admin.goTo('fe1', 'accounts?at=all');
    await button('New local account …');
    await dialog.getByLabel('Address').fill('ann@local.example');
    await dialog.getByLabel('Back-end').selectOption('be1');
    await button('Make the account');
    const password = await page.getByRole('dialog', { name: 'Password of ann@local.example' }).locator('output').textContent();
    assert.match(password ?? '', /^(?:[a-z2-9]{4}-){4}[a-z2-9]{4}$/);
    await button('I have noted it');
    await admin.heading('ann@local.example');
    assert.equal(await page.getByText(password ?? '').count(), 0, 'it is shown once');
    const life = page.getByRole('region', { name: 'Life of the account' });
    await button('Disable …');
    await dialog.waitFor();
    assert.equal(await admin.focused(), 'Cancel');
    await button('Disable it');
    await life.getByText('disabled', { exact: true }).waitFor();
    await button('Enable');
    await life.getByText('in use', { exact: true }).waitFor();
    await life.getByLabel('Most kilobytes').fill('2000');
    await button('Set the quota');
    await life.getByText('0 B of 2.0 MB').waitFor();
    await button('Rename …');
    await dialog.getByLabel('New address').fill('anna@local.example');
    await button('Rename');
    await admin.heading('anna@local.example');
    await button('Delete …');
    await dialog.getByLabel(/^Type anna@local\.example/).fill('anna@local_example');
    await button('Delete it');
    assert.ok(await dialog.isVisible(), 'another word does nothing');
    await dialog.getByLabel(/^Type /).fill('anna@local.example');
    await page.keyboard.press('Enter');
    await life.getByText('deleted', { exact: true }).waitFor();
    await admin.goTo('be2', 'accounts?at=withdrawn');
    await page.getByRole('row', { name: /^anna@local\.example deleted removed in 30 days be1 here/ }).waitFor();
    await page.getByRole('link', { name: 'anna@local.example' }).click();
    await button('Bring it back');
    await life.getByText('in use', { exact: true }).waitFor();
  });

  await t.test('a group is made, gets members and loses them', async () => {
    await admin.goTo('fe1', 'groups');
    await button('New group …');
    await dialog.getByRole('textbox').fill('team@local.example anna@local.example');
    await button('Make it');
    await page.getByText('nothing says where team@local.example is to live').waitFor();
    await admin.goTo('fe1', 'groups/nobody@local.example');
    await page.getByRole('alert').filter({ hasText: 'There is no group nobody@local.example.' }).waitFor();
  });

  await t.test('a domain is added, gets a postmaster, is disabled, deleted by its name typed, and brought back', async () => {
    await admin.goTo('fe1', 'domains');
    await button('Add a domain …');
    await dialog.getByLabel('Domain').fill('edu.example');
    await button('Add it');
    await page.getByRole('row', { name: /^edu\.example in use secondary local accounts/ }).waitFor();
    await page.getByRole('link', { name: 'edu.example' }).click();
    await admin.heading('edu.example');
    await page.getByLabel(/^Postmaster/).fill('alice@example.com');
    await page.getByLabel('Most messages of each account').fill('500');
    await button('Save');
    await page.getByText('Saved; nodes take it up').waitFor();
    const life = page.getByRole('region', { name: 'What it is' });
    await button('Disable …');
    await button('Disable it');
    await life.getByText('disabled', { exact: true }).waitFor();
    await button('Enable');
    await life.getByText('in use', { exact: true }).waitFor();
    await button('Delete …');
    await dialog.getByLabel('Type edu.example to confirm').fill('edu.example');
    await button('Delete it');
    await life.getByText('deleted', { exact: true }).waitFor();
    await button('Bring it back');
    await life.getByText('in use', { exact: true }).waitFor();
    assert.equal(await page.getByLabel(/^Postmaster/).inputValue(), 'alice@example.com');
  });
}
