/** Signing in and out of the admin API, at any node. */
import { clearedAdminCookie } from '../../shared/admin-api/admin-session.ts';
import type { AdminSessions } from '../../shared/admin-api/admin-session.ts';
import { nameOf } from '../../shared/admin-api/caller.ts';
import type { Caller } from '../../shared/admin-api/caller.ts';
import { capabilityNames } from '../../shared/admin-api/capability.ts';
import type { Capability } from '../../shared/admin-api/capability.ts';
import { openApiDocument } from '../../shared/admin-api/openapi.ts';
import { handled } from '../../shared/admin-api/operation.ts';
import type { Handled } from '../../shared/admin-api/operation.ts';
import type { SignIn } from '../../shared/admin-api/sign-in.ts';
import { operations } from './contract/operations.ts';
import { signInOperations } from './contract/sign-in.ts';

export interface SignInParts {
  readonly signIn: SignIn;
  readonly sessions: AdminSessions;
  /** See `AdminNews`. */
  readonly tellEnded: (session: string) => Promise<void>;
  readonly primaryDomain: string;
}

export function signInHandlers({ signIn, sessions, tellEnded, primaryDomain }: SignInParts): readonly Handled[] {
  return [
    handled(signInOperations.signIn, async ({ caller, body, reply }) => {
      reply.note({ name: body.name, as: body.as });
      const record = await signIn.check({ name: body.name, password: body.password, code: body.code, from: caller.from });
      const claims = sessions.begin(record, body.as, Date.now());
      if (body.as === 'cookie') reply.setCookie(sessions.cookie(claims));
      sessions.saw(claims, caller.from, Date.now());
      reply.note({ session: claims.session });
      return {
        name: record.name, by: body.as, capabilities: inOrder(record.capabilities), domains: [...record.domains], until: new Date(sessions.endMs(claims)).toISOString(),
        ...(body.as === 'token' ? { token: sessions.sign(claims) } : {}),
      };
    }),
    handled(signInOperations.showSession, async ({ caller }) => Promise.resolve({ ...described(caller), primaryDomain })),
    handled(signInOperations.signOut, async ({ caller, reply }) => {
      if (caller.session !== undefined) {
        sessions.end(caller.session, Date.now());
        await tellEnded(caller.session);
      }
      if (caller.by === 'cookie') reply.setCookie(clearedAdminCookie);
      return {};
    }),
    handled(signInOperations.describeApi, async () => Promise.resolve({ ...openApiDocument(operations) })),
  ];
}

function described(caller: Caller): { name: string; by: Caller['by']; capabilities: Capability[]; domains: string[] } {
  const { who, by } = caller;
  const all = who.kind === 'node' ? new Set(capabilityNames) : who.administrator.capabilities;
  return { name: nameOf(caller), by, capabilities: inOrder(all), domains: who.kind === 'node' ? [] : [...who.administrator.domains] };
}

function inOrder(capabilities: ReadonlySet<Capability>): Capability[] {
  return capabilityNames.filter((name) => capabilities.has(name));
}
