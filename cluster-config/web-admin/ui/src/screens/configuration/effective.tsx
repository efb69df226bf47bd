/** What a node runs with: all layers joined, defaults filled in. */
import { pathOf } from '../../api.ts';
import { useNodes } from '../../nodes.ts';
import { Card, Shown } from '../../parts/screen.tsx';
import { useResource } from '../../resource.ts';
import { goTo, hrefOf, place } from '../../route.ts';
import { yamlText } from '../../yaml-text.ts';
import type { EffectiveView } from './views.ts';

export function Effective() {
  const nodes = useNodes();
  return (
    <Card title="What a node runs with">
      <Shown of={nodes}>
        {({ nodes: all }) => {
          const node = place.value.query.get('node') ?? all[0]?.name ?? '';
          return (
            <>
              <div class="panel-body">
                <label class="field narrow"><span>Node</span>
                  <select value={node} onChange={(event) => goTo(hrefOf(['configuration', 'effective'], { node: event.currentTarget.value }), 'replace')}>
                    {all.map(({ name }) => <option key={name} value={name}>{name}</option>)}
                  </select>
                </label>
              </div>
              <OfNode key={node} node={node} />
            </>
          );
        }}
      </Shown>
    </Card>
  );
}

function OfNode({ node }: { readonly node: string }) {
  const configuration = useResource<EffectiveView>(`${pathOf('nodes', node)}/configuration`);
  return (
    <Shown of={configuration}>
      {({ version, parameters }) => (
        <>
          <pre class="document" tabIndex={0} aria-label={`Configuration of ${node}`}>{yamlText(parameters)}</pre>
          <p class="panel-foot">Version <code>{version}</code>. All layers joined, defaults filled in; secrets are shown as the places where they are kept.</p>
        </>
      )}
    </Shown>
  );
}
