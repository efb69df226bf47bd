/** The protocols with the embedded directory. */
import { protocolsWith } from './protocols.ts';

protocolsWith('embedded');
