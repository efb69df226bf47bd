/** The protocols with the directory of Debian's slapd. */
import { protocolsWith } from './protocols.ts';

protocolsWith('slapd');
