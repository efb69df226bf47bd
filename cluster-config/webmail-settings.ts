/** What WebMail needs of the configuration at both ends: the secret that signs cookies, the ages of sessions, the built page. */
import type { LanguageChoice } from '../shared/http/visitor-language.ts';
import { resolve } from 'node:path';
import { Failure } from '../shared/base/failure.ts';
import type { SessionAges } from '../shared/session-cookie/session-cookie.ts';
import type { NodeConfig } from './effective.ts';
import { readSecret } from './secret.ts';

const leastSecretBytes = 32;

/** Where `npm run build:ui` puts the page. */
export const uiDirectory = resolve(import.meta.dirname, '..', 'dist', 'webmail');

/** The secret of the cluster. @throws Failure('bad-input') when it is missing or too short to sign with. */
export async function readCookieSecret(config: NodeConfig, environment: Readonly<Record<string, string | undefined>>): Promise<Buffer> {
  if (config.cookieSecret === undefined) throw new Failure('bad-input', `cookieSecret is not set for node ${config.nodeName}, and WebMail needs it`);
  const secret = Buffer.from(await readSecret(config.cookieSecret, environment));
  if (secret.length < leastSecretBytes) throw new Failure('bad-input', `cookieSecret is too short: at least ${String(leastSecretBytes)} characters`);
  return secret;
}

export function sessionAges(service: { readonly sessionIdleTimeoutSeconds: number; readonly sessionActivityTimeoutSeconds: number }): SessionAges {
  return { idleMs: service.sessionIdleTimeoutSeconds * 1000, absoluteMs: service.sessionActivityTimeoutSeconds * 1000 };
}

/** Limits of every HTTP service of ours that no parameter sets. */
export const httpLimits = { maxHeaderBytes: 16 * 1024, requestTimeoutMs: 300_000 } as const;

/** In which language visitors are spoken to who want no other. */
export function languageChoice({ defaultLanguage, autodetectLanguage }: Pick<NodeConfig, 'defaultLanguage' | 'autodetectLanguage'>): LanguageChoice {
  return { fallback: defaultLanguage, autodetect: autodetectLanguage ? 'yes' : 'no' };
}
