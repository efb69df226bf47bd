/** The frame of every screen: its heading, what was read for it, and what to say when there is nothing or something went wrong. */
import type { ComponentChildren } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import { Icon } from '../../../../../shared/page/icons.tsx';
import type { IconName } from '../../../../../shared/page/icons.tsx';
import type { Resource } from '../resource.ts';

interface ScreenProps {
  readonly title: string;
  /** Above the title: where this belongs. */
  readonly above?: ComponentChildren;
  /** One line: what this is. */
  readonly lead?: ComponentChildren;
  readonly actions?: ComponentChildren;
  readonly children: ComponentChildren;
}

/** Who comes to a screen, by keyboard or screen reader, begins at its heading. */
export function Screen({ title, above, lead, actions, children }: ScreenProps) {
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => {
    document.title = `${title} – Waybill administration`;
    heading.current?.focus({ preventScroll: true });
  }, [title]);
  return (
    <>
      <header class="screen-head">
        <div class="screen-title">
          {above !== undefined && <p class="above">{above}</p>}
          <h1 ref={heading} tabIndex={-1}>{title}</h1>
          {lead !== undefined && <p class="lead">{lead}</p>}
        </div>
        {actions !== undefined && <div class="screen-actions">{actions}</div>}
      </header>
      {children}
    </>
  );
}

/** What was read, once it is there; waiting and failing are told. */
export function Shown<Value>({ of, children }: { readonly of: Resource<Value>; readonly children: (value: Value) => ComponentChildren }) {
  const { state, reload } = of;
  if (state.at === 'loading') return <p class="waiting" role="status">Reading …</p>;
  if (state.at === 'failed') return <Trouble text={state.why} retry={reload} />;
  return (
    <>
      {state.trouble !== '' && <Trouble text={`${state.trouble} What you see is of ${clock.format(state.readAtMs)}.`} retry={reload} />}
      {children(state.value)}
    </>
  );
}

const clock = new Intl.DateTimeFormat(undefined, { timeStyle: 'medium' });

export function Trouble({ text, retry }: { readonly text: string; readonly retry?: () => Promise<void> }) {
  return (
    <div class="notice notice-error" role="alert">
      <span>{text}</span>
      {retry !== undefined && <button class="button button-small" type="button" onClick={() => void retry()}>Try again</button>}
    </div>
  );
}

export function Empty({ icon, children }: { readonly icon: IconName; readonly children: ComponentChildren }) {
  return <div class="empty"><Icon name={icon} /><p>{children}</p></div>;
}

export function Card({ title, actions, children }: { readonly title: string; readonly actions?: ComponentChildren; readonly children: ComponentChildren }) {
  return (
    <section class="panel" aria-label={title}>
      <header class="panel-head"><h2>{title}</h2>{actions}</header>
      {children}
    </section>
  );
}

export type Tone = 'good' | 'warn' | 'bad' | 'plain';

/** A state in a word. The word says it; the colour only helps. */
export function Badge({ tone, children }: { readonly tone: Tone; readonly children: ComponentChildren }) {
  return <span class={`badge badge-${tone}`}>{children}</span>;
}

/** Names with what is known of them. */
export function Facts({ of }: { readonly of: readonly (readonly [string, ComponentChildren])[] }) {
  return (
    <dl class="facts">
      {of.filter(([, value]) => value !== undefined && value !== '').map(([name, value]) => <div key={name}><dt>{name}</dt><dd>{value}</dd></div>)}
    </dl>
  );
}
