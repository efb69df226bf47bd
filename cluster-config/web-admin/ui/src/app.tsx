/** The page: sign-in, or the screens beside their list. */
import { signal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import { Icon } from '../../../../shared/page/icons.tsx';
import { Logo } from '../../../../shared/page/logo.tsx';
import { Toasts } from '../../../../shared/page/toasts.tsx';
import { Questions } from './parts/question.tsx';
import { hrefOf, place } from './route.ts';
import { screens } from './screens.tsx';
import type { ScreenEntry } from './screens.tsx';
import { NewAccount } from './screens/new-account.tsx';
import { session, signOut, startSession } from './session.ts';
import { SignIn } from './sign-in.tsx';
import { theme } from './theme.ts';
import type { Theme } from './theme.ts';
import type { SessionView } from './views.ts';

/** On narrow screens the list of screens lies in a drawer. */
const drawer = signal<'open' | 'closed'>('closed');

export function App() {
  return (
    <>
      <Page />
      <Questions />
      <NewAccount />
      <Toasts />
    </>
  );
}

function Page() {
  const { value } = session;
  if (value.at === 'starting') return <div class="blank" aria-busy="true" />;
  if (value.at === 'unreachable') return <Unreachable note={value.note} />;
  if (value.at === 'signed-out') return <SignInPage note={value.note} />;
  return <Shell who={value.who} />;
}

function Shell({ who }: { readonly who: SessionView }) {
  const { screen, parts } = place.value;
  const mine = screens.filter((entry) => entry.needs.length === 0 || entry.needs.some((each) => who.capabilities.includes(each)));
  const current = mine.find(({ name }) => name === screen) ?? mine[0];
  useEffect(() => {
    drawer.value = 'closed';
    document.getElementById('content')?.scrollTo(0, 0);
  }, [screen, parts.join('/')]);
  return (
    <div class="shell" data-drawer={drawer.value}>
      <a class="skip-link" href="#content" onClick={(event) => {
        event.preventDefault();
        document.getElementById('content')?.focus();
      }}>To the content</a>
      <header class="top-bar">
        <button class="icon-button" type="button" aria-label="Screens" aria-expanded={drawer.value === 'open'} aria-controls="screens" onClick={() => { drawer.value = 'open'; }}><Icon name="menu" /></button>
        <Logo />
      </header>
      <div class="drawer-shade" onClick={() => { drawer.value = 'closed'; }} />
      <Side who={who} entries={mine} current={current} />
      <main id="content" class="content" tabIndex={-1}>
        {current !== undefined && <current.show key={[current.name, ...parts].join('/')} />}
      </main>
    </div>
  );
}

function Side({ who, entries, current }: { readonly who: SessionView; readonly entries: readonly ScreenEntry[]; readonly current: ScreenEntry | undefined }) {
  return (
    <aside class="side" id="screens" aria-label="Waybill" onKeyDown={(event) => {
      if (event.key === 'Escape') drawer.value = 'closed';
    }}>
      <div class="side-head">
        <Logo />
        <button class="icon-button drawer-close" type="button" aria-label="Close the list of screens" onClick={() => { drawer.value = 'closed'; }}><Icon name="close" /></button>
      </div>
      <nav aria-label="Screens">
        <ul>
          {entries.map((entry) => (
            <li key={entry.name}>
              <a class="side-link" href={hrefOf([entry.name])} aria-current={entry === current ? 'page' : undefined} onClick={() => { drawer.value = 'closed'; }}><Icon name={entry.icon} /><span>{entry.title}</span></a>
            </li>
          ))}
        </ul>
      </nav>
      <ThemeChoice />
      <div class="side-foot">
        <span class="who" title={who.domains.length === 0 ? undefined : `Administers ${who.domains.join(', ')}`}>{who.name}</span>
        <button class="icon-button" type="button" aria-label="Sign out" title="Sign out" onClick={() => void signOut()}><Icon name="signOut" /></button>
      </div>
    </aside>
  );
}

function ThemeChoice() {
  return (
    <label class="theme">
      <span>Colours</span>
      <select value={theme.value} onChange={(event) => { theme.value = event.currentTarget.value as Theme; }}>
        <option value="automatic">Automatic</option>
        <option value="light">Light</option>
        <option value="dark">Dark</option>
      </select>
    </label>
  );
}

function Unreachable({ note }: { readonly note: string }) {
  return (
    <main class="sign-in">
      <div class="card">
        <h1>Waybill administration</h1>
        <p class="notice notice-error" role="alert">{note}</p>
        <button class="button button-primary" type="button" onClick={() => void startSession()}>Try again</button>
      </div>
    </main>
  );
}

function SignInPage({ note }: { readonly note: string }) {
  useEffect(() => {
    document.title = 'Sign in – Waybill administration';
  }, []);
  return <SignIn note={note} />;
}
