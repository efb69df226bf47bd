/** The configuration: its text, what nodes make of it, its history, and what a node runs with; each has an address of its own. */
import { Screen } from '../parts/screen.tsx';
import { hrefOf, place } from '../route.ts';
import { Editor } from './configuration/editor.tsx';
import { Effective } from './configuration/effective.tsx';
import { History } from './configuration/history.tsx';
import { Standings } from './configuration/standings.tsx';

const views = [
  { name: '', title: 'Text', show: Editor },
  { name: 'nodes', title: 'Nodes', show: Standings },
  { name: 'history', title: 'History', show: History },
  { name: 'effective', title: 'In effect', show: Effective },
] as const;

export function Configuration() {
  const [name = ''] = place.value.parts;
  const current = views.find((view) => view.name === name) ?? views[0];
  return (
    <Screen title="Configuration" lead="One document for all nodes. Every parameter is explained in docs/parameters.md.">
      <nav class="tabs" aria-label="Configuration">
        {views.map((view) => <a key={view.name} href={hrefOf(['configuration', ...(view.name === '' ? [] : [view.name])])} aria-current={view === current ? 'page' : undefined}>{view.title}</a>)}
      </nav>
      <current.show />
    </Screen>
  );
}
