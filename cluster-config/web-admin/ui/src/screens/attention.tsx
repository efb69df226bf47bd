/** What an administrator should look at, from what the nodes say. */
import { Icon } from '../../../../../shared/page/icons.tsx';
import { distance } from '../format.ts';
import { stateNames } from '../nodes.ts';
import { hrefOf } from '../route.ts';
import type { NodeView } from '../views.ts';

interface Alert {
  readonly text: string;
  readonly href: string;
}

export function Attention({ nodes }: { readonly nodes: readonly NodeView[] }) {
  const alerts = alertsOf(nodes);
  if (alerts.length === 0) return <p class="all-well" role="status"><Icon name="good" /> Nothing needs your attention.</p>;
  return (
    <section class="alerts" aria-label="Needs attention">
      <h2><Icon name="warning" /> Needs attention</h2>
      <div role="status"><ul>{alerts.map(({ text, href }) => <li key={text}><a href={href}>{text}</a></li>)}</ul></div>
    </section>
  );
}

function alertsOf(nodes: readonly NodeView[]): readonly Alert[] {
  const ailing = nodes.filter(({ state }) => state !== 'ready').map(({ name, state, reason }) => ({
    text: `${name} is ${stateNames[state]}${reason === undefined ? '' : `: ${reason}`}`, href: hrefOf(['overview', name]),
  }));
  const certificates = nodes.flatMap(({ name, certificates: all }) => all.filter(({ standing }) => standing !== 'good').map(({ parameter, endsAt, standing }) => ({
    text: `${name}: the certificate of ${parameter} ${standing === 'over' ? `ended ${distance(endsAt)}` : `ends ${distance(endsAt)}`}`, href: hrefOf(['overview', name]),
  })));
  const versions = new Set(nodes.flatMap(({ workers }) => workers.map(({ configVersion }) => configVersion)));
  const differing = versions.size < 2 ? [] : [{ text: `Nodes run ${String(versions.size)} different versions of the configuration`, href: hrefOf(['configuration']) }];
  return [...ailing, ...certificates, ...differing];
}
