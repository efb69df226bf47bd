/**
 * A real Chromium for tests, without a window and with nothing kept from one to the next: Debian's headless shell, the same engine
 * without what surrounds it in a desktop's browser, which starts in a fraction of the time.
 */
import { chromium } from 'playwright-core';
import type { BrowserContext, BrowserContextOptions } from 'playwright-core';

/** Downloads ask nobody about certificates: over a new connection they were cancelled, as `ignoreHTTPSErrors` speaks for pages only. */
const trusting = '--ignore-certificate-errors';
const quiet = ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync'];

export interface TestBrowser {
  readonly context: BrowserContext;
  close(): Promise<void>;
}

/** Starts Chromium; certificates of test authorities are accepted. */
export async function openChromium(options: Pick<BrowserContextOptions, 'viewport' | 'colorScheme' | 'deviceScaleFactor' | 'locale'> = {}): Promise<TestBrowser> {
  const browser = await chromium.launch({ executablePath: '/usr/lib/chromium/chromium-headless-shell', args: [...quiet, trusting] });
  const context = await browser.newContext({ ignoreHTTPSErrors: true, acceptDownloads: true, locale: 'en-GB', viewport: { width: 1280, height: 800 }, ...options });
  context.setDefaultTimeout(10_000);
  return { context, close: async () => browser.close() };
}
