/** The page: sign-in, or the three panes with the message being written above them. */
import { signal } from '@preact/signals';
import { Compose } from './compose.tsx';
import { ownDraft } from './compose-state.ts';
import { FolderPane } from './folder-pane.tsx';
import './keyboard.ts';
import { ListPane } from './list-pane.tsx';
import './news.ts';
import { Reader } from './reader.tsx';
import { route } from './route.ts';
import { session, startSession } from './session.ts';
import { Settings } from './settings.tsx';
import { settings } from './settings-state.ts';
import { SignIn } from './sign-in.tsx';
import { Toasts } from '../../../../shared/page/toasts.tsx';
import { texts } from './texts.ts';

/** On narrow screens the folders lie in a drawer. */
export const drawer = signal<'open' | 'closed'>('closed');

export function App() {
  return (
    <>
      <Page />
      {ownDraft.value === undefined && settings.value === 'closed' && <Toasts dismiss={texts.value.dismiss} />}
    </>
  );
}

function Page() {
  const { value } = session;
  if (value.at === 'starting') return <div class="blank" aria-busy="true" />;
  if (value.at === 'unreachable') return <Unreachable note={value.note} />;
  if (value.at === 'signed-out') return <SignIn note={value.note} />;
  const pane = route.value.uid === undefined ? 'list' : 'message';
  return (
    <main class="app" data-pane={pane} data-drawer={drawer.value}>
      <FolderPane address={value.address} drawer={drawer} />
      <ListPane drawer={drawer} />
      <Reader />
      {ownDraft.value !== undefined && <Compose draft={ownDraft.value} />}
      {settings.value === 'open' && <Settings address={value.address} />}
    </main>
  );
}

function Unreachable({ note }: { readonly note: string }) {
  return (
    <main class="sign-in">
      <div class="card">
        <h1>Waybill</h1>
        <p class="notice notice-error" role="alert">{note}</p>
        <button class="button button-primary" onClick={() => void startSession()}>{texts.value.tryAgain}</button>
      </div>
    </main>
  );
}
