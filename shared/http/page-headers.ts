/** The headers that keep the pages (WebMail, WebAdmin) to themselves, sent with every answer. */
import type { ServerResponse } from 'node:http';

/** What both may do: no script but our own files, nobody frames them, forms go nowhere else. */
const common = ["default-src 'none'", "script-src 'self'", "connect-src 'self'", "manifest-src 'self'", "form-action 'self'", "base-uri 'none'", "frame-ancestors 'none'", "require-trusted-types-for 'script'"];

/**
 * In WebMail no string becomes markup except through the mail sanitiser's policy. Inline styles and pictures from elsewhere are
 * allowed there only because the sandboxed frame that shows HTML mail inherits this policy; its own is stricter until the user
 * asks for remote pictures. In WebAdmin no string becomes markup at all.
 */
const policies = {
  webmail: [...common, "style-src 'self' 'unsafe-inline'", "img-src 'self' data: https: http:", 'trusted-types dompurify waybill-mail'].join('; '),
  webadmin: [...common, "style-src 'self'", "img-src 'self'", "trusted-types 'none'"].join('; '),
} as const;

const headers: readonly (readonly [string, string])[] = [
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
export function setPageHeaders(response: ServerResponse, page: keyof typeof policies): void {
  response.setHeader('content-security-policy', policies[page]);
  for (const [name, value] of headers) response.setHeader(name, value);
}
