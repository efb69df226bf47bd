/** Starts the page. */
import { render } from 'preact';
import { App } from './app.tsx';
import { startSession } from './session.ts';
import '../../../../shared/page/styles/tokens.css';
import '../../../../shared/page/styles/base.css';
import '../../../../shared/page/styles/sign-in.css';
import './styles/shell.css';
import './styles/parts.css';
import './styles/screens.css';
import './styles/charts.css';
import './styles/configuration.css';

const root = document.getElementById('app');
if (root !== null) render(<App />, root);
void startSession();
