/** Serves a built page from memory: a handful of small files, read once at the start. */
import { createHash } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { readdir, readFile } from 'node:fs/promises';
import { extname, join, sep } from 'node:path';
import { brotliCompressSync, constants } from 'node:zlib';

const types: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.json': 'application/json; charset=utf-8',
  '.webmanifest': 'application/manifest+json; charset=utf-8',
};

interface StaticFile {
  readonly bytes: Buffer;
  readonly compressed: Buffer;
  readonly headers: Readonly<Record<string, string>>;
}

/** All files, by URL path. */
export type StaticFiles = ReadonlyMap<string, StaticFile>;

/** Reads the files. @throws Error that says what to do when the page is not built. */
export async function loadStaticFiles(directory: string): Promise<StaticFiles> {
  const entries = await readdir(directory, { recursive: true, withFileTypes: true }).catch((cause: unknown) => {
    throw new Error(`the page is not built (${directory}): run "npm run build:ui"`, { cause });
  });
  const files = new Map<string, StaticFile>();
  for (const entry of entries.filter((each) => each.isFile())) {
    const file = join(entry.parentPath, entry.name);
    const path = file.slice(directory.length).split(sep).join('/').replace(/^\/*/, '/');
    files.set(path === '/index.html' ? '/' : path, describe(path, await readFile(file)));
  }
  return files;
}

/** The best one costs a fifth of a second at every start, for a tenth less. */
const compression = 7;

function describe(path: string, bytes: Buffer): StaticFile {
  // Files under /assets bear a digest in their name.
  const caching = path.startsWith('/assets/') ? 'public, max-age=31536000, immutable' : 'no-cache';
  return {
    bytes,
    compressed: brotliCompressSync(bytes, { params: { [constants.BROTLI_PARAM_QUALITY]: compression } }),
    headers: {
      'content-type': types[extname(path)] ?? 'application/octet-stream',
      'cache-control': caching,
      etag: `"${createHash('sha256').update(bytes).digest('base64url').slice(0, 22)}"`,
      vary: 'accept-encoding',
    },
  };
}

/** Answers a GET or HEAD of a known path; false when the path is none of the page's. */
export function serveStaticFile(files: StaticFiles, path: string, exchange: { readonly request: IncomingMessage; readonly response: ServerResponse }): boolean {
  const { request, response } = exchange;
  const file = files.get(path);
  if (file === undefined || (request.method !== 'GET' && request.method !== 'HEAD')) return false;
  if (request.headers['if-none-match'] === file.headers['etag']) {
    response.writeHead(304, file.headers).end();
    return true;
  }
  const brotli = /\bbr\b/.test(request.headers['accept-encoding']?.toString() ?? '');
  const bytes = brotli ? file.compressed : file.bytes;
  response.writeHead(200, { ...file.headers, ...(brotli ? { 'content-encoding': 'br' } : {}), 'content-length': String(bytes.length) });
  response.end(request.method === 'HEAD' ? undefined : bytes);
  return true;
}
