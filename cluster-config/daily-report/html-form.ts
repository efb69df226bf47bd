/**
 * A report as HTML for mail programs: one column of tables with styles at the elements, as many of them know nothing else, no
 * pictures and nothing from elsewhere. Dark and narrow where the program can. Pure.
 */
import type { Block, ReportText } from './report-sections.ts';

const colours = { ink: '#1c2430', soft: '#5b6675', line: '#e3e7ec', paper: '#ffffff', ground: '#f2f4f7', accent: '#24587a', well: '#1d6b45', wellPaper: '#e8f4ed', attention: '#8a3b12', attentionPaper: '#fdf0e6' } as const;
const font = "font-family:-apple-system,'Segoe UI',Roboto,'Helvetica Neue',Arial,sans-serif";

/** What styles at the elements can't say: other screens. */
const sheet = `
@media (max-width:520px){.wb-pad{padding-left:16px!important;padding-right:16px!important}.wb-cell{padding-right:8px!important;font-size:13px!important}
.wb-cards thead,.wb-cards .wb-empty{display:none!important}.wb-cards tr,.wb-cards td{display:block!important}.wb-cards tr{padding:8px 0!important;border-bottom:1px solid ${colours.line}}.wb-cards td{padding:1px 0!important;border:0!important;text-align:left!important}.wb-cards .wb-label{display:inline-block!important}}
@media (prefers-color-scheme:dark){
.wb-ground{background:#12161c!important}.wb-paper{background:#1b212a!important;border-color:#2c3540!important}.wb-ink{color:#e6eaf0!important}.wb-soft{color:#9aa6b4!important}.wb-line{border-color:#2c3540!important}
.wb-well{background:#17352a!important;color:#a5dcc0!important}.wb-attention{background:#40281a!important;color:#f3c4a2!important}.wb-tile{background:#232b36!important}
}`;

export function htmlForm(report: ReportText): string {
  const { language, subject, title, cluster, date, sections, closing } = report;
  const body = [
    row(`<p class="wb-soft" style="margin:0 0 4px;font-size:13px;color:${colours.soft}">${escaped(cluster)}</p><h1 class="wb-ink" style="margin:0;font-size:22px;line-height:1.3;color:${colours.ink}">${escaped(title)}</h1><p class="wb-soft" style="margin:4px 0 0;font-size:15px;color:${colours.soft}">${escaped(date)}</p>`, '28px'),
    row(banner(report), '18px'),
    ...sections.map(({ title: name, blocks }) => row(`<h2 class="wb-ink" style="margin:0 0 10px;font-size:16px;line-height:1.3;color:${colours.ink}">${escaped(name)}</h2>${blocks.map(blockForm).join('')}`, '26px')),
    row(closing.map((text) => `<p class="wb-soft" style="margin:0 0 4px;font-size:12px;line-height:1.5;color:${colours.soft}">${escaped(text)}</p>`).join(''), '28px'),
  ].join('');
  return `<!DOCTYPE html>
<html lang="${language}"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1"><meta name="color-scheme" content="light dark"><title>${escaped(subject)}</title><style>${sheet}</style></head>
<body class="wb-ground" style="margin:0;padding:0;background:${colours.ground};${font}">
<table role="presentation" class="wb-ground" width="100%" cellpadding="0" cellspacing="0" style="background:${colours.ground}"><tr><td align="center" style="padding:20px 8px">
<table role="presentation" class="wb-paper" width="100%" cellpadding="0" cellspacing="0" style="max-width:680px;background:${colours.paper};border:1px solid ${colours.line};border-radius:10px;${font}">${body}
<tr><td style="padding:0 0 24px"></td></tr></table>
</td></tr></table></body></html>
`;
}

function row(content: string, above: string): string {
  return `\n<tr><td class="wb-pad" style="padding:${above} 32px 0;text-align:left">${content}</td></tr>`;
}

function banner({ headline: { tone, text }, attention }: ReportText): string {
  const [ink, paper] = tone === 'well' ? [colours.well, colours.wellPaper] : [colours.attention, colours.attentionPaper];
  const list = attention.length === 0 ? '' : `<ul style="margin:8px 0 0;padding:0 0 0 20px">${attention.map((one) => `<li style="margin:0 0 4px;overflow-wrap:anywhere">${escaped(one)}</li>`).join('')}</ul>`;
  return `<div class="wb-${tone}" style="padding:14px 16px;border-radius:8px;background:${paper};color:${ink};font-size:14px;line-height:1.5"><strong>${escaped(text)}</strong>${list}</div>`;
}

function blockForm(block: Block): string {
  if (block.kind === 'note') return `<p class="wb-soft" style="margin:0 0 8px;font-size:14px;line-height:1.5;color:${colours.soft}">${escaped(block.text)}</p>`;
  if (block.kind === 'figures') return `<div style="margin:0 -4px">${block.figures.map(figure).join('')}</div>`;
  // With many columns, or several of words, rows become cards on a phone, where each cell bears its column's name.
  const isCards = block.words > 1 || block.head.length > 3;
  const head = block.head.map((cell, column) => `<th scope="col" class="wb-cell wb-soft wb-line" style="${cellStyle(column, block.words)};font-weight:600;font-size:12px;color:${colours.soft}">${escaped(cell)}</th>`).join('');
  const rows = block.rows.map((cells) => `<tr class="wb-line">${cells.map((cell, column) => `<td class="wb-cell wb-ink wb-line${cell === '' ? ' wb-empty' : ''}" style="${cellStyle(column, block.words)};color:${colours.ink}">${isCards ? label(block.head[column] ?? '') : ''}${escaped(cell)}</td>`).join('')}</tr>`).join('');
  return `<table${isCards ? ' class="wb-cards"' : ''} width="100%" cellpadding="0" cellspacing="0" style="margin:0 0 10px;border-collapse:collapse;font-size:14px"><thead><tr>${head}</tr></thead><tbody>${rows}</tbody></table>`;
}

function label(text: string): string {
  return `<span class="wb-label wb-soft" style="display:none;width:110px;font-size:12px;color:${colours.soft}">${escaped(text)}</span>`;
}

function figure({ label, value }: { readonly label: string; readonly value: string }): string {
  return `<div style="display:inline-block;vertical-align:top;width:50%;box-sizing:border-box"><div class="wb-tile" style="margin:4px;padding:10px 14px;border-radius:8px;background:${colours.ground}"><div class="wb-ink" style="font-size:18px;line-height:1.3;font-weight:600;color:${colours.ink};font-variant-numeric:tabular-nums">${escaped(value)}</div><div class="wb-soft" style="font-size:12px;line-height:1.4;color:${colours.soft}">${escaped(label)}</div></div></div>`;
}

function cellStyle(column: number, words: number): string {
  const side = column < words ? 'text-align:left;overflow-wrap:anywhere' : 'text-align:right;white-space:nowrap;font-variant-numeric:tabular-nums';
  return `padding:7px 12px 7px 0;border-bottom:1px solid ${colours.line};vertical-align:top;line-height:1.4;${side}`;
}

function escaped(text: string): string {
  return text.replace(/[&<>"']/g, (mark) => `&#${String(mark.charCodeAt(0))};`).replace(/[\u0000-\u0008\u000b-\u001f\u007f]/g, ' ');
}
