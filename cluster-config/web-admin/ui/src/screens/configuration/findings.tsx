/** What the check of a text found; each mistake leads to its place. */
import { countText } from '../../format.ts';
import { Trouble } from '../../parts/screen.tsx';
import type { Checked } from './check.ts';
import type { Finding, Waiting } from './views.ts';

interface FindingsProps {
  readonly checked: Checked;
  readonly text: string;
  readonly jump: (finding: Finding) => void;
}

export function Findings({ checked, text, jump }: FindingsProps) {
  if (checked.at === 'failed') return <Trouble text={checked.why} />;
  return (
    <div id="findings" class="findings">
      <p class={checked.at === 'ready' && !checked.found.good ? 'notice notice-error' : 'notice'} role="status">{verdictOf(checked, text)}</p>
      {checked.at === 'ready' && checked.found.problems.length > 0 && (
        <ul aria-label="Mistakes">
          {checked.found.problems.map((finding) => (
            <li key={`${String(finding.line)} ${finding.path} ${finding.text}`}>
              <button class="finding" type="button" onClick={() => jump(finding)}>
                <span class="finding-place">{placeText(finding)}</span>
                <span><code>{finding.path}</code> {finding.text}</span>
              </button>
            </li>
          ))}
        </ul>
      )}
      {checked.at === 'ready' && <Consequences restarts={checked.found.restarts} warnings={checked.found.warnings} />}
    </div>
  );
}

function verdictOf(checked: Checked, text: string): string {
  if (checked.at !== 'ready' || checked.of !== text) return 'Checking …';
  const { good, nodes = [], problems } = checked.found;
  if (good) return `The document is good for ${countText(nodes.length, 'node')}: ${nodes.map(({ name }) => name).join(', ')}.`;
  return `${countText(problems.length, 'mistake')}: no node would take this document.`;
}

function placeText({ line, column }: Finding): string {
  if (line === undefined) return 'document';
  return column === undefined ? `line ${String(line)}` : `line ${String(line)}, column ${String(column)}`;
}

/** What would come of publishing it beside what it says. */
export function Consequences({ restarts, warnings }: { readonly restarts: Waiting; readonly warnings: readonly string[] }) {
  return (
    <>
      {warnings.map((warning) => <p key={warning} class="notice notice-warn">{warning}</p>)}
      {restarts.map(({ node, parameters }) => <p key={node} class="notice notice-warn"><span>{node} keeps its old values of <code>{parameters.join(', ')}</code> until it is restarted.</span></p>)}
    </>
  );
}
