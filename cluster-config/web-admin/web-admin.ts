/** WebAdmin: the page for administrators, served by every node beside its admin API, on which it stands. */
import { resolve } from 'node:path';
import { loadStaticFiles, serveStaticFile } from '../../shared/http/static-files.ts';
import type { StaticFiles } from '../../shared/http/static-files.ts';
import { setPageHeaders } from '../../shared/http/page-headers.ts';
import type { AdminPart } from '../../shared/admin/admin-server.ts';
import type { Logger } from '../../shared/log/log.ts';

/** Where `npm run build:ui` puts the page. */
const pageDirectory = resolve(import.meta.dirname, '..', '..', 'dist', 'webadmin');

/** The page is read when somebody first asks for it: workers that nobody administers don't keep it. */
export function webAdmin(log: Logger): AdminPart {
  let files: Promise<StaticFiles> | undefined;
  return {
    owns: (path) => path === '/' || path === '/icon.svg' || path.startsWith('/assets/'),
    serve: async (request, response, url) => {
      setPageHeaders(response, 'webadmin');
      try {
        files ??= loadStaticFiles(pageDirectory);
        if (!serveStaticFile(await files, url.pathname, { request, response })) response.writeHead(404, { 'content-type': 'text/plain; charset=utf-8' }).end('There is no such page.\n');
      } catch (error) {
        files = undefined;
        log.error({ err: error }, 'WebAdmin can\'t be shown');
        response.writeHead(503, { 'content-type': 'text/plain; charset=utf-8' }).end('WebAdmin is not installed at this node; its log says why. The admin API works.\n');
      }
    },
  };
}
