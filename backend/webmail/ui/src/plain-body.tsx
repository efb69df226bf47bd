/** Plain text: addresses of pages can be clicked, quoted lines stand back. */
import type { ComponentChildren } from 'preact';

export function PlainBody({ text }: { readonly text: string }) {
  return <div class="plain-body" dir="auto">{blocks(text).map(({ quoted, lines }, index) => (
    <div key={index} class={quoted ? 'quoted' : undefined}>{withLinks(lines.join('\n'))}</div>
  ))}</div>;
}

interface Block {
  readonly quoted: boolean;
  readonly lines: string[];
}

function blocks(text: string): Block[] {
  const found: Block[] = [];
  for (const line of text.replace(/\r\n?/g, '\n').replace(/\n+$/, '').split('\n')) {
    const quoted = line.startsWith('>');
    const last = found.at(-1);
    if (last?.quoted === quoted) last.lines.push(line);
    else found.push({ quoted, lines: [line] });
  }
  return found;
}

function withLinks(text: string): ComponentChildren[] {
  return text.split(/(https?:\/\/[^\s<>"']*[^\s<>"'.,;:!?)\]])/).map((piece, index) => (index % 2 === 1
    ? <a key={index} href={piece} target="_blank" rel="noopener noreferrer">{piece}</a>
    : piece));
}
