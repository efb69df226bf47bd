/** What differs between two texts, line by line; marks and words say it, colours only help. Long lines are broken, so that a phone shows all of it. */
import type { Hunk } from './views.ts';

export function Difference({ hunks, label }: { readonly hunks: readonly Hunk[]; readonly label: string }) {
  if (hunks.length === 0) return <p class="panel-foot">The two texts are the same.</p>;
  return (
    <div class="difference" role="region" aria-label={label} tabIndex={0}>
      {hunks.map((hunk) => <HunkLines key={`${String(hunk.before)} ${String(hunk.after)}`} hunk={hunk} />)}
    </div>
  );
}

function HunkLines({ hunk }: { readonly hunk: Hunk }) {
  let [before, after] = [hunk.before, hunk.after];
  return (
    <div class="hunk">
      {hunk.lines.map(({ mark, text }, index) => {
        const numbers = [mark === '+' ? '' : before, mark === '-' ? '' : after];
        if (mark !== '+') before += 1;
        if (mark !== '-') after += 1;
        return <DifferenceLine key={index} mark={mark} numbers={numbers} text={text} />;
      })}
    </div>
  );
}

const kinds = { ' ': { name: 'same', says: undefined }, '-': { name: 'removed', says: 'removed: ' }, '+': { name: 'added', says: 'added: ' } } as const;

interface LineProps {
  readonly mark: keyof typeof kinds;
  readonly numbers: readonly (number | string)[];
  readonly text: string;
}

function DifferenceLine({ mark, numbers, text }: LineProps) {
  const { name, says } = kinds[mark];
  return (
    <div class={`difference-line difference-${name}`}>
      <span class="difference-number" aria-hidden="true">{numbers[0]}</span>
      <span class="difference-number" aria-hidden="true">{numbers[1]}</span>
      <span class="difference-mark" aria-hidden="true">{mark}</span>
      <span class="difference-text">{says !== undefined && <span class="for-readers">{says}</span>}{text}</span>
    </div>
  );
}
