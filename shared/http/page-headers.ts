/** The headers that keep a WebMail page to itself, sent with every answer. */
import type { ServerResponse } from 'node:http';

/**
 * What the page may do. No script but our own files, and no string becomes markup except through the mail sanitiser's
 * policy. Inline styles and pictures from elsewhere are allowed here only because the sandboxed frame that shows HTML mail
 * inherits this policy; its own is stricter until the user asks for remote pictures.
 */
const contentSecurityPolicy = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self' 'unsafe-inline'",
  "img-src 'self' data: https: http:",
  "connect-src 'self'",
  "manifest-src 'self'",
  "form-action 'self'",
  "base-uri 'none'",
  "frame-ancestors 'none'",
  "require-trusted-types-for 'script'",
  'trusted-types dompurify waybill-mail',
].join('; ');

const headers: readonly (readonly [string, string])[] = [
  ['content-security-policy', contentSecurityPolicy],
  ['strict-transport-security', 'max-age=31536000'],
  ['x-content-type-options', 'nosniff'],
  ['x-frame-options', 'DENY'],
  ['referrer-policy', 'no-referrer'],
  ['cross-origin-opener-policy', 'same-origin'],
  ['cross-origin-resource-policy', 'same-origin'],
  ['permissions-policy', 'camera=(), microphone=(), geolocation=()'],
  ['x-dns-prefetch-control', 'off'],
];

/** Sets them; call before anything is written. */
export function setPageHeaders(response: ServerResponse): void {
  for (const [name, value] of headers) response.setHeader(name, value);
}
