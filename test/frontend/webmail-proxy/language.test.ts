/** WebMail in the language of who reads it: what the entry says, else the browser, else the configuration; before and after the sign-in. */
import { after, before, test } from 'node:test';
import assert from 'node:assert/strict';
import { openChromium } from '../../harness/chromium.ts';
import type { TestBrowser } from '../../harness/chromium.ts';
import { WebClient } from '../../harness/web-client.ts';
import { password, startWebmailCluster } from '../../harness/webmail-cluster.ts';
import type { WebmailCluster } from '../../harness/webmail-cluster.ts';

let cluster: WebmailCluster;
let browser: TestBrowser;

before(async () => {
  [cluster, browser] = await Promise.all([startWebmailCluster({ languages: { 'bob@example.com': 'en' }, webmail: { language: { fallback: 'de', autodetect: 'yes' } }, proxy: { language: { fallback: 'de', autodetect: 'yes' } } }), openChromium({ locale: 'de-AT' })]);
});
after(async () => Promise.all([cluster.stop(), browser.close()]));

test('the entry wins over the browser, the browser over the configuration, at front-ends and back-ends alike', async () => {
  const languageAt = async (client: WebClient, url: string, accepted: string | undefined): Promise<unknown> => {
    const { status, json } = await client.ask(url, accepted === undefined ? {} : { headers: { 'accept-language': accepted } });
    assert.equal(status, 200);
    return json['language'];
  };
  for (const url of [cluster.urls[0], cluster.backends.be1.url]) {
    const [stranger, alice] = [new WebClient(), new WebClient()];
    assert.equal((await alice.post(`${url}/api/sign-in`, { name: 'alice@example.com', password })).status, 200);
    for (const [client, path] of [[stranger, '/api/language'], [alice, '/api/session']] as const) {
      for (const [accepted, language] of [[undefined, 'de'], ['fr', 'de'], ['en-GB, de;q=0.5', 'en'], ['fr, de-CH;q=0.9, en;q=0.1', 'de']] as const) assert.equal(await languageAt(client, `${url}${path}`, accepted), language, `${path} ${accepted ?? 'without'}`);
    }
  }
  const bob = new WebClient();
  await bob.post(`${cluster.urls[1]}/api/sign-in`, { name: 'bob@example.com', password });
  assert.equal(await languageAt(bob, `${cluster.urls[1]}/api/session`, 'de'), 'en');
});

test('where browsers are not listened to the configuration decides', async (t) => {
  const deaf = await startWebmailCluster({ proxy: { language: { fallback: 'de', autodetect: 'no' } } });
  t.after(async () => deaf.stop());
  assert.deepEqual((await new WebClient().ask(`${deaf.urls[0]}/api/language`, { headers: { 'accept-language': 'en' } })).json, { language: 'de' });
});

test('in a German browser all that is seen is German, refusals too; who reads English better is spoken to in English after the sign-in', { timeout: 120_000 }, async () => {
  const page = await browser.context.newPage();
  await page.goto(cluster.urls[0]);
  await page.getByLabel('Mailadresse').fill('alice@example.com');
  await page.getByLabel('Passwort').fill('wrong');
  await page.getByRole('button', { name: 'Anmelden' }).click();
  await page.getByText('Adresse oder Passwort ist falsch.').waitFor();
  await page.getByLabel('Passwort').fill(password);
  await page.getByRole('button', { name: 'Anmelden' }).click();
  await page.getByRole('heading', { name: 'Posteingang' }).waitFor();
  await page.getByText('Hier ist nichts.').waitFor();
  await page.getByRole('button', { name: 'Einstellungen' }).click();
  await page.getByText('Kein Administrator hat etwas mit Ihrem Konto getan.').waitFor();
  assert.equal(await page.evaluate('document.documentElement.lang'), 'de');
  const seen = String(await page.evaluate('document.body.innerText + [...document.querySelectorAll("[aria-label], [title], [placeholder]")].map((one) => `${one.ariaLabel ?? ""} ${one.title ?? ""} ${one.placeholder ?? ""}`).join(" ")'));
  assert.deepEqual(seen.match(/\b(the|your|folder|folders|message|messages|write|inbox|trash|drafts|sign|close|search|password|settings)\b/gi) ?? [], []);
  await page.getByRole('button', { name: 'Einstellungen schließen' }).click();
  await page.getByRole('button', { name: 'Abmelden' }).click();
  await page.getByText('Sie sind abgemeldet.').waitFor();
  await page.getByLabel('Mailadresse').fill('bob@example.com');
  await page.getByLabel('Passwort').fill(password);
  await page.getByRole('button', { name: 'Anmelden' }).click();
  await page.getByRole('heading', { name: 'Inbox' }).waitFor();
  assert.equal(await page.evaluate('document.documentElement.lang'), 'en');
});
