/** Starts the page. */
import { render } from 'preact';
import { App } from './app.tsx';
import { startSession } from './session.ts';
import './styles/tokens.css';
import './styles/base.css';
import './styles/layout.css';
import './styles/sidebar.css';
import './styles/list.css';
import './styles/reader.css';
import './styles/compose.css';
import './styles/settings.css';
import './styles/sign-in.css';

const root = document.getElementById('app');
if (root !== null) render(<App />, root);
void startSession();
