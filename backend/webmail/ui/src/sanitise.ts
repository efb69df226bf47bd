/**
 * Makes a sender's HTML harmless before it goes into the sandboxed frame: no scripts, forms or embedded things, no links but
 * to pages and addresses, and nothing fetched from elsewhere until the user asks. The frame's sandbox and policy would hold
 * without this, and this without them.
 */
import DOMPurify from 'dompurify';
import type { Config } from 'dompurify';

export interface FrameOptions {
  /** Whether pictures may come from other servers. */
  readonly remote: 'blocked' | 'allowed';
  /** data: URLs of the message's own pictures, by content id. */
  readonly pictures: ReadonlyMap<string, string>;
}

export interface FramePage {
  /** A whole document for `srcdoc`. */
  readonly page: TrustedHTML | string;
  /** Whether something from elsewhere was left out. */
  readonly blocked: boolean;
}

const config: Config & { RETURN_TRUSTED_TYPE: false } = {
  USE_PROFILES: { html: true },
  FORCE_BODY: true,
  FORBID_TAGS: ['form', 'input', 'button', 'textarea', 'select', 'option', 'dialog', 'audio', 'video', 'source', 'track', 'picture', 'map', 'area', 'slot', 'template'],
  FORBID_ATTR: ['srcset', 'ping', 'action', 'formaction', 'autofocus', 'tabindex', 'accesskey', 'popover', 'popovertarget'],
  ALLOW_DATA_ATTR: false,
  ALLOW_ARIA_ATTR: false,
  ALLOWED_URI_REGEXP: /^(?:https?:|mailto:|cid:|data:image\/(?:png|jpe?g|gif|webp|bmp|avif);|\/\/)/i,
  RETURN_TRUSTED_TYPE: false,
};

const pictureAttributes = ['src', 'background', 'poster', 'lowsrc', 'dynsrc'];

/** Cleans the HTML and wraps it into a page of its own. */
export function framePage(html: string, options: FrameOptions): FramePage {
  let blocked = false;
  const block = (): void => {
    blocked = true;
  };
  DOMPurify.addHook('afterSanitizeAttributes', (element) => cleanElement(element, options, block));
  DOMPurify.addHook('uponSanitizeElement', (node, { tagName }) => {
    if (tagName === 'style' && node.textContent !== null) node.textContent = cleanStyle(node.textContent, options.remote, block);
  });
  try {
    const page = trusted(() => pageAround(DOMPurify.sanitize(html, config), options.remote));
    return { page, blocked };
  } finally {
    DOMPurify.removeAllHooks();
  }
}

/** The content ids of pictures that the HTML names. */
export function namedPictures(html: string): readonly string[] {
  return [...html.matchAll(/\bcid:([^\s"'<>)]+)/gi)].map(([, id = '']) => decodeId(id));
}

function decodeId(id: string): string {
  try {
    return decodeURIComponent(id);
  } catch {
    return id;
  }
}

function cleanElement(element: Element, options: FrameOptions, block: () => void): void {
  for (const name of pictureAttributes) {
    const url = element.getAttribute(name);
    if (url === null) continue;
    const allowed = pictureUrl(url, options, block);
    if (allowed === undefined) element.removeAttribute(name);
    else element.setAttribute(name, allowed);
  }
  const style = element.getAttribute('style');
  if (style !== null) element.setAttribute('style', cleanStyle(style, options.remote, block));
  if (element.localName === 'a') cleanLink(element);
  else element.removeAttribute('href');
}

function pictureUrl(url: string, { remote, pictures }: FrameOptions, block: () => void): string | undefined {
  if (/^cid:/i.test(url)) return pictures.get(decodeId(url.slice(4)));
  if (/^data:image\//i.test(url)) return url;
  if (!/^(https?:)?\/\//i.test(url)) return undefined;
  if (remote === 'allowed') return url;
  block();
  return undefined;
}

/** Links open in a page of their own that can't reach back. */
function cleanLink(link: Element): void {
  if (!/^(https?:|mailto:)/i.test(link.getAttribute('href') ?? '')) link.removeAttribute('href');
  link.setAttribute('target', '_blank');
  link.setAttribute('rel', 'noopener noreferrer nofollow');
}

/**
 * Takes out whatever makes a browser fetch: @import always, addresses of other servers while they are blocked. Escapes go
 * first, so that none hides behind them; `<` last, so that nothing that is left can end the style element.
 */
function cleanStyle(style: string, remote: 'blocked' | 'allowed', block: () => void): string {
  const plain = style.replace(/\/\*[\s\S]*?\*\//g, '').replace(/\\/g, '').replace(/@import[^;]*;?/gi, '');
  const kept = remote === 'allowed' ? plain : plain.replace(/[\w-]*\(\s*["']?\s*(?:https?:)?\/\/[^)]*\)?/gi, 'none').replace(/(?:https?:)?\/\/[^\s)"';}]*/gi, '');
  if (kept !== plain || /@import/i.test(style)) block();
  return kept.replaceAll('<', '');
}

const policy = window.trustedTypes?.createPolicy('waybill-mail', { createHTML: (page: string) => page });

/** The only place where a string becomes markup. */
function trusted(makePage: () => string): TrustedHTML | string {
  const page = makePage();
  return policy === undefined ? page : policy.createHTML(page);
}

/** The frame's own policy is the second wall: nothing is fetched but pictures, and those only when asked for. */
function pageAround(body: string, remote: 'blocked' | 'allowed'): string {
  const images = remote === 'allowed' ? 'data: https: http:' : 'data:';
  const policyText = `default-src 'none'; style-src 'unsafe-inline'; img-src ${images}; form-action 'none'; base-uri 'none'`;
  return `<!doctype html><html><head><meta charset="utf-8"><meta http-equiv="Content-Security-Policy" content="${policyText}">`
    + '<meta name="referrer" content="no-referrer"><meta http-equiv="x-dns-prefetch-control" content="off"><meta name="viewport" content="width=device-width">'
    + '<style>html{color-scheme:light;background:#fff}body{margin:20px;font:15px/1.55 system-ui,sans-serif;color:#1c1f21;overflow-wrap:anywhere}'
    + 'img{max-width:100%;height:auto}pre{white-space:pre-wrap}blockquote{margin:0 0 0 4px;padding-left:12px;border-left:3px solid #d5d9dc}</style>'
    + `</head><body>${body}</body></html>`;
}
