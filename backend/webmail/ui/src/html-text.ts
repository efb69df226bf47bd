/** The readable text of an HTML body, for quoting it in an answer. The HTML is parsed into a document that never runs or loads anything. */
import DOMPurify from 'dompurify';

const ownLine = new Set(['p', 'div', 'tr', 'li', 'ul', 'ol', 'table', 'blockquote', 'pre', 'h1', 'h2', 'h3', 'h4', 'h5', 'h6', 'hr', 'section', 'article', 'header', 'footer']);

export function textOfHtml(html: string): string {
  const fragment = DOMPurify.sanitize(html, { RETURN_DOM_FRAGMENT: true, FORBID_TAGS: ['style'] });
  return textOfNode(fragment).replace(/[ \t]+\n/g, '\n').replace(/\n[ \t]+/g, '\n').replace(/\n{3,}/g, '\n\n').trim();
}

function textOfNode(node: Node): string {
  if (node.nodeType === Node.TEXT_NODE) return (node.textContent ?? '').replace(/\s+/g, ' ');
  const name = node.nodeName.toLowerCase();
  if (name === 'br') return '\n';
  const inner = [...node.childNodes].map(textOfNode).join('');
  if (name === 'li') return `\n- ${inner.trim()}\n`;
  if (name === 'td' || name === 'th') return `${inner} `;
  return ownLine.has(name) ? `\n${inner}\n` : inner;
}
