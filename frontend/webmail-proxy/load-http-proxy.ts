/**
 * Loads the package http-proxy without its one warning: it takes util._extend, deprecated since long (DEP0060), when it is
 * loaded, and gets Object.assign in its place, which does the same. Other warnings stay.
 */
import { createRequire } from 'node:module';
import type httpProxy from 'http-proxy';

const require = createRequire(import.meta.url);

function load(): typeof httpProxy {
  const util = require('node:util') as { _extend: unknown };
  const deprecated = util._extend;
  util._extend = Object.assign;
  try {
    return require('http-proxy') as typeof httpProxy;
  } finally {
    util._extend = deprecated;
  }
}

export const { createProxyServer } = load();
