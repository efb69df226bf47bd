/** How the WebMail page is built: `npm run build:ui` puts it into dist/webmail, from where front-ends and back-ends serve it. */
import { preact } from '@preact/preset-vite';
import { defineConfig } from 'vite';

export default defineConfig({
  plugins: [preact()],
  publicDir: '../../../shared/page/public',
  build: {
    outDir: '../../../dist/webmail',
    emptyOutDir: true,
    // The page's policy allows neither inline scripts nor data: URLs of fonts and scripts.
    modulePreload: { polyfill: false },
    assetsInlineLimit: 0,
    target: 'es2022',
  },
});
