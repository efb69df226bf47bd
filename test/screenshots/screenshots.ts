/**
 * `npm run screenshots`: the pictures of docs/web-admin.md, made anew from a demo cluster of their own in which some people read and
 * write. `npm run screenshots -- reports trace` makes only those.
 */
import { mkdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { Argument } from 'commander';
import type { Page } from 'playwright-core';
import { developmentCommand } from '../../shared/bootstrap/development-command.ts';
import { openChromium } from '../harness/chromium.ts';
import { startCluster } from '../harness/cluster.ts';
import type { Cluster } from '../harness/cluster.ts';
import { freePort } from '../harness/free-port.ts';
import { WebAdminPage } from '../harness/web-admin-page.ts';
import { makeTraffic } from './traffic.ts';

const folder = join(import.meta.dirname, '..', '..', 'docs', 'pictures');
/** They lie in the repository. */
const mostBytes = 150_000;
const trafficMs = 120_000;

const looks = {
  desktop: { width: 1440, height: 900, colorScheme: 'light' },
  'desktop-dark': { width: 1440, height: 900, colorScheme: 'dark' },
  phone: { width: 390, height: 844, colorScheme: 'light' },
  'phone-dark': { width: 390, height: 844, colorScheme: 'dark' },
} as const;
type Look = keyof typeof looks;

interface Picture {
  readonly name: string;
  readonly place: string;
  readonly looks: readonly Look[];
  /** Of the desktop, where less is enough. */
  readonly height?: number;
  /** What has to be done before it looks as it should. */
  readonly prepare?: (page: Page) => Promise<void>;
}

const pictures: readonly Picture[] = [
  { name: 'overview', place: 'overview', looks: ['desktop', 'phone-dark'] },
  { name: 'node', place: 'overview/fe1', looks: ['desktop', 'phone'], prepare: async (page) => page.getByText(/^\d.* \/s$/).first().waitFor() },
  { name: 'reports', place: 'reports?period=minutes', looks: ['desktop', 'desktop-dark', 'phone'], prepare: lookAtChart },
  { name: 'daily-report', place: 'reports/daily', looks: ['desktop', 'phone'], height: 800 },
  { name: 'sessions', place: 'sessions', looks: ['desktop'] },
  { name: 'accounts', place: 'accounts', looks: ['desktop'] },
  { name: 'account', place: 'accounts/alice@example.com', looks: ['desktop'] },
  { name: 'domains', place: 'domains', looks: ['desktop'] },
  { name: 'queue', place: 'queue', looks: ['desktop', 'phone'] },
  { name: 'storages', place: 'storages', looks: ['desktop'] },
  { name: 'trace', place: 'trace?what=judy@example.com', looks: ['desktop'], height: 700 },
  { name: 'protocol-trace', place: 'trace?what=carol@example.com', looks: ['desktop'], height: 620, prepare: showProtocolTrace },
  { name: 'configuration', place: 'configuration', looks: ['desktop'], height: 700, prepare: async (page) => page.getByText('Checking …').waitFor({ state: 'detached' }) },
  { name: 'administrators', place: 'administrators', looks: ['desktop'], height: 700 },
  { name: 'audit', place: 'audit', looks: ['desktop'], height: 700 },
];

/** As a reader's pointer would: the values of one moment are shown. */
async function lookAtChart(page: Page): Promise<void> {
  const plot = page.getByRole('figure', { name: 'Sessions' }).getByRole('img');
  const box = await plot.boundingBox();
  if (box !== null) await page.mouse.move(box.x + box.width * 0.7, box.y + box.height / 2);
}

async function showProtocolTrace(page: Page): Promise<void> {
  await page.getByText(/FETCH/).first().waitFor();
  await page.evaluate('document.getElementById("content").scrollTo(0, 1e6)');
  await page.evaluate('document.querySelector(".protocol").scrollTo(0, 1e6)');
}

async function take(admin: WebAdminPage, { name, place, prepare, height }: Picture, look: Look): Promise<void> {
  const { page } = admin;
  const { colorScheme, ...viewport } = looks[look];
  await page.setViewportSize(height === undefined || viewport.width < 600 ? viewport : { ...viewport, height });
  await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
  await page.mouse.move(0, 0);
  await admin.goTo('fe1', place);
  await page.reload();
  await page.locator('.panel').first().waitFor();
  await page.locator('.waiting').first().waitFor({ state: 'detached' });
  await prepare?.(page);
  const file = join(folder, `${name}-${look}.png`);
  await page.screenshot({ path: file, animations: 'disabled' });
  const { size } = statSync(file);
  process.stdout.write(`${file}  ${String(Math.ceil(size / 1000))} kB\n`);
  if (size > mostBytes) throw new Error(`${file} is larger than ${String(mostBytes / 1000)} kB`);
}

/** Samples every second, so that a few minutes are enough for charts; mail for the world outside stays in the queue. */
async function startDemo(): Promise<Cluster> {
  const nobodyListens = await freePort();
  return startCluster({ changeConfig: (yaml) => yaml
    .replace('  drainSeconds: 5\n', '  drainSeconds: 5\n  reporting: { intervalSeconds: 1, domains: true, accounts: true }\n')
    .replace('\nnodes:\n', `\nbackends: { services: { smtpSending: { routes: [{ domain: "*", host: 127.0.0.1, port: ${String(nobodyListens)}, tls: none }] } } }\n\nnodes:\n`) });
}

async function main(wanted: readonly string[]): Promise<void> {
  mkdirSync(folder, { recursive: true });
  const [cluster, browser] = await Promise.all([startDemo(), openChromium()]);
  try {
    const admin = await WebAdminPage.open(browser.context, cluster);
    await admin.goTo('fe1');
    await admin.signIn('admin', cluster.password);
    await admin.heading('Overview');
    const traffic = await makeTraffic(cluster, trafficMs);
    for (const picture of pictures.filter(({ name }) => wanted.length === 0 || wanted.includes(name))) for (const look of picture.looks) await take(admin, picture, look);
    await traffic.end();
  } finally {
    await browser.close();
    await cluster.stop();
  }
}

const { args: wanted } = developmentCommand('npm run screenshots --', 'The pictures of docs/web-admin.md, made anew from a cluster of their own in about five minutes.')
  .addArgument(new Argument('[pictures...]', 'only these').choices(pictures.map(({ name }) => name)))
  .parse();
await main(wanted);
