/** Starts the page. */
import { render } from 'preact';
import { App } from './app.tsx';
import { startSession } from './session.ts';
import '../../../../shared/page/styles/tokens.css';
import '../../../../shared/page/styles/base.css';
import './styles/layout.css';
import './styles/sidebar.css';
import './styles/list.css';
import './styles/reader.css';
import './styles/compose.css';
import './styles/settings.css';
import '../../../../shared/page/styles/sign-in.css';

const root = document.getElementById('app');
if (root !== null) render(<App />, root);
void startSession();
