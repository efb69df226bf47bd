/** How the WebAdmin page is built: `npm run build:ui` puts it into dist/webadmin, from where every node serves it. */
import { preact } from '@preact/preset-vite';
import { defineConfig } from 'vite';

export default defineConfig({
  plugins: [preact()],
  publicDir: '../../../shared/page/public',
  build: {
    outDir: '../../../dist/webadmin',
    emptyOutDir: true,
    // The page's policy allows neither inline scripts nor data: URLs.
    modulePreload: { polyfill: false },
    assetsInlineLimit: 0,
    target: 'es2022',
  },
});
