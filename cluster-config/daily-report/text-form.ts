/** A report as plain text: columns that stay columns in any fixed font, lines that no mail program wraps. Pure. */
import type { Block, ReportText } from './report-sections.ts';

/** RFC 5322 section 2.1.1 asks for 78; cells that are longer are cut where a row would be. */
const longestLine = 78;
const longestCell = 44;

export function plainForm({ title, cluster, date, headline, attention, sections, closing }: ReportText): string {
  const head = [`${title} – ${cluster}`, date, '', headline.text, ...attention.flatMap((text) => wrapped(text, '  * ', '    '))];
  const parts = sections.map(({ title: name, blocks }) => [name.toUpperCase(), ...blocks.flatMap((block, index) => (index === 0 ? linesOf(block) : ['', ...linesOf(block)]))].join('\n'));
  return `${head.join('\n')}\n\n${parts.join('\n\n')}\n\n-- \n${closing.flatMap((text) => wrapped(text, '', '')).join('\n')}\n`;
}

function linesOf(block: Block): string[] {
  if (block.kind === 'note') return wrapped(block.text, '', '');
  if (block.kind === 'figures') return aligned(block.figures.map(({ label, value }) => [label, value]), 1);
  return aligned([block.head, ...block.rows], block.words);
}

function aligned(rows: readonly (readonly string[])[], words: number): string[] {
  const cells = rows.map((row) => row.map((cell) => short(cell)));
  const widths = (cells[0] ?? []).map((_, column) => Math.max(...cells.map((row) => [...(row[column] ?? '')].length)));
  return cells.map((row) => `  ${row.map((cell, column) => padded(cell, widths[column] ?? 0, column < words ? 'left' : 'right')).join('  ')}`.trimEnd());
}

function padded(cell: string, width: number, side: 'left' | 'right'): string {
  const gap = ' '.repeat(Math.max(0, width - [...cell].length));
  return side === 'left' ? `${cell}${gap}` : `${gap}${cell}`;
}

function short(cell: string): string {
  const letters = [...oneLine(cell)];
  return letters.length <= longestCell ? letters.join('') : `${letters.slice(0, longestCell - 1).join('')}…`;
}

function wrapped(text: string, first: string, next: string): string[] {
  const lines: string[] = [];
  let line = first;
  for (const word of oneLine(text).split(' ')) {
    const isFresh = line === first || line === next;
    if (!isFresh && line.length + 1 + word.length > longestLine) {
      lines.push(line);
      line = `${next}${word}`;
    } else line = isFresh ? `${line}${word}` : `${line} ${word}`;
  }
  return [...lines, line];
}

/** What others said must not begin a line of ours; blanks of any kind are plain ones. */
function oneLine(text: string): string {
  return text.replace(/[\u0000-\u001f\u007f-\u00a0\u2028\u2029\u202f]+/g, ' ').trim();
}
